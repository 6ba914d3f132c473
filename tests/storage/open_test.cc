#include "storage/open.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/storage/accounts.h"
#include "tests/storage/sqlite/database_folder.h"

namespace sasld {
namespace {

TEST(OpenStore, OpensMemory) {
  for (const StorePresence presence :
       {StorePresence::kCreateIfMissing, StorePresence::kMustExist}) {
    const auto store = OpenStore("memory:", presence, SampleRecordKeys());
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ((*store)->Count().value(), 0U);
  }
  EXPECT_FALSE(StoreExists("memory:").value());
}

TEST(OpenStore, RefusesUnknownSchemesAndMissingPaths) {
  for (const char* url : {"", "sqlite", "sqlite:", "SQLite:/x.db", "/x.db", "oracle:x", "memory"}) {
    const absl::Status status =
        OpenStore(url, StorePresence::kCreateIfMissing, SampleRecordKeys()).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << url << ": " << status;
    EXPECT_EQ(CheckStoreUrl(url), status);
  }
  EXPECT_TRUE(absl::IsInvalidArgument(StoreExists("oracle:x").status()));
  EXPECT_TRUE(CheckStoreUrl("memory:").ok());
  EXPECT_TRUE(CheckStoreUrl("sqlite:/no/such/folder.db").ok());
}

TEST(OpenStore, TellsWhetherADatabaseExists) {
  const DatabaseFolder folder;
  EXPECT_FALSE(StoreExists(folder.url()).value());
  EXPECT_FALSE(StoreExists("sqlite:" + folder.path() + "/no/such/folder.db").value());
  std::ofstream(folder.file()).flush();
  EXPECT_FALSE(StoreExists(folder.url()).value()) << "an empty file holds no passwords";
  folder.Open();
  EXPECT_TRUE(StoreExists(folder.url()).value());
}

TEST(OpenStore, MustExistFindsNothingAndMakesNothing) {
  const DatabaseFolder folder;
  const absl::Status status = folder.TryOpen(StorePresence::kMustExist).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_NE(status.message().find(folder.file()), std::string::npos) << status;
  EXPECT_TRUE(folder.Contents().empty());
  folder.Open();
  EXPECT_TRUE(folder.TryOpen(StorePresence::kMustExist).ok());
}

// SQLite takes some names for something else than a file.
TEST(OpenStore, TakesEveryPathForAFile) {
  const DatabaseFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  for (const char* name : {":memory:", "file:x.db?mode=memory", "relative.db", "./also.db"}) {
    const std::string url = std::string("sqlite:") + name;
    {
      const auto store = OpenStore(url, StorePresence::kCreateIfMissing, SampleRecordKeys());
      ASSERT_TRUE(store.ok()) << store.status();
      EXPECT_TRUE((*store)->Create(MakeAccount("ann")).ok());
    }
    EXPECT_TRUE(std::filesystem::is_regular_file(name)) << name;
    const auto again = OpenStore(url, StorePresence::kMustExist, SampleRecordKeys());
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_TRUE((*again)->Find(Name("ann")).ok()) << name;
  }
  std::filesystem::current_path(before);
}

}  // namespace
}  // namespace sasld
