#include "storage/sqlite/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "storage/sqlite/migrations.h"
#include "tests/storage/accounts.h"
#include "tests/storage/sqlite/database_folder.h"
#include "tests/storage/store_conformance.h"

namespace sasld {
namespace {

class FreshSqlite final : public FreshStore {
 public:
  Store& store() override { return *store_; }

 private:
  const DatabaseFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.Open();
};

std::unique_ptr<FreshStore> MakeFreshSqlite() { return std::make_unique<FreshSqlite>(); }

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance,
                         testing::Values(BackEnd{"sqlite", &MakeFreshSqlite}));

mode_t ModeOf(const std::string& path) {
  struct stat facts {};
  EXPECT_EQ(stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 07777;
}

TEST(SqliteStore, KeepsAccountsAndEpochsWhenReopened) {
  const DatabaseFolder folder;
  const Account ann = MakeAccount("ann");
  const Epoch epoch = folder.Open()->Create(ann).value();
  const auto store = folder.Open();
  ExpectAccount(store->Find(ann.name).value(), ann, epoch);
  ASSERT_TRUE(store->Remove(ann.name).ok());
  EXPECT_GT(store->Create(ann).value(), epoch);
}

TEST(SqliteStore, LeavesOneFileWhenClosed) {
  const DatabaseFolder folder;
  {
    const auto store = folder.Open();
    ASSERT_TRUE(store->Create(MakeAccount("ann")).ok());
    ASSERT_TRUE(store->Find(Name("ann")).ok());
  }
  EXPECT_EQ(folder.Contents().size(), 1U);
}

TEST(SqliteStore, FilesAreForTheirOwnerOnlyWhateverTheUmask) {
  const DatabaseFolder folder;
  const mode_t before = umask(0);
  const auto store = folder.Open();
  ASSERT_TRUE(store->Create(MakeAccount("ann")).ok());
  umask(before);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    EXPECT_EQ(ModeOf(folder.file() + suffix), mode_t{0600}) << suffix;
  }
}

TEST(SqliteStore, SaysInTheFileWhatItIs) {
  const DatabaseFolder folder;
  folder.Open();
  SQLite::Database database(folder.file());
  EXPECT_EQ(database.execAndGet("PRAGMA application_id").getUInt(), kApplicationId);
  EXPECT_EQ(database.execAndGet("PRAGMA user_version").getUInt(), CurrentSchemaVersion());
  EXPECT_EQ(database.execAndGet("PRAGMA journal_mode").getString(), "wal");
}

TEST(SqliteStore, FillsAnEmptyFile) {
  const DatabaseFolder folder;
  std::ofstream(folder.file()).flush();
  EXPECT_TRUE(folder.Open()->Create(MakeAccount("ann")).ok());
}

// As left by a sasld that was killed between making the file and making the tables.
TEST(SqliteStore, FillsADatabaseWithoutTables) {
  const DatabaseFolder folder;
  SQLite::Database(folder.file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("PRAGMA journal_mode = WAL");
  ASSERT_GT(std::filesystem::file_size(folder.file()), 0U);
  EXPECT_TRUE(folder.Open()->Create(MakeAccount("ann")).ok());
}

// A row of "ann" that has been changed so behind the schema's back.
void ExpectDataLoss(const std::string& changes) {
  SCOPED_TRACE(changes);
  const DatabaseFolder folder;
  {
    const auto store = folder.Open();
    ASSERT_TRUE(store->Create(MakeAccount("ann")).ok());
    ASSERT_TRUE(store->Create(MakeAccount("ben")).ok());
  }
  {
    SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE);
    database.exec("PRAGMA ignore_check_constraints = ON");
    ASSERT_EQ(database.exec("UPDATE account SET " + changes + " WHERE name = 'ann'"), 1);
  }
  const auto store = folder.Open();
  for (const absl::Status& status : {store->Find(Name("ann")).status(), store->List({}).status()}) {
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_NE(status.message().find(folder.file()), std::string::npos) << status;
    EXPECT_EQ(status.message().find("ann"), std::string::npos) << status;
  }
  EXPECT_TRUE(store->Find(Name("ben")).ok());
}

TEST(SqliteStore, ADamagedRowIsDataLossAndOthersAreRead) {
  for (const char* changes :
       {"record = x''", "record = x'00'", "record = x'01'", "record = zeroblob(200)",
        "record = CAST(substr(record, 2) AS BLOB)", "record = CAST(substr(record, 1, 40) AS BLOB)",
        "record = CAST(record || x'00' AS BLOB)", "epoch = epoch + 1"}) {
    ExpectDataLoss(changes);
  }
}

TEST(SqliteStore, ADamagedPageIsDataLoss) {
  const DatabaseFolder folder;
  {
    const auto store = folder.Open();
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(store->Create(MakeAccount("user" + std::to_string(i))).ok());
    }
  }
  {
    // All but the first pages, which have the schema and the roots of its tables.
    constexpr std::streamoff kIntact = 16 * 4096;
    std::fstream file(folder.file(), std::ios::in | std::ios::out | std::ios::binary);
    const auto size = static_cast<std::streamoff>(std::filesystem::file_size(folder.file()));
    file.seekp(kIntact);
    file << std::string(static_cast<size_t>(size - kIntact), '\x5a');
  }
  const auto store = folder.Open();
  int damaged = 0;
  for (int i = 0; i < 100; ++i) {
    const absl::Status status = store->Find(Name("user" + std::to_string(i))).status();
    if (status.ok()) continue;
    ++damaged;
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_NE(status.message().find(folder.file()), std::string::npos) << status;
  }
  EXPECT_GT(damaged, 50);
}

// Kept read transactions must not keep the log from being folded back, in whatever order reads and
// writes come.
TEST(SqliteStore, LogStaysSmallWhileReadersHoldTransactions) {
  constexpr uintmax_t kMostLogBytes = 12 << 20;  // three times the size at which it is folded back
  const DatabaseFolder folder;
  const auto store = folder.Open();
  Account account = MakeAccount("ann");
  account.epoch = store->Create(account).value();
  const std::string large(400'000, 'x');
  uintmax_t written = 0;
  uintmax_t most = 0;
  for (int i = 0; i < 150; ++i) {
    account.credential.argon2id = large + std::to_string(i);
    account.epoch = store->Update(account).value();
    ASSERT_EQ(store->Find(account.name)->epoch, account.epoch);
    written += large.size();
    most = std::max(most, std::filesystem::file_size(folder.file() + "-wal"));
  }
  ASSERT_GT(written, 4 * kMostLogBytes) << "the test is too short to tell";
  EXPECT_LT(most, kMostLogBytes);
}

}  // namespace
}  // namespace sasld
