// What OpenStore refuses, in which words, and that it leaves it as it was.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "storage/open.h"
#include "storage/sqlite/migrations.h"
#include "tests/storage/accounts.h"
#include "tests/storage/sqlite/database_folder.h"

namespace sasld {
namespace {

bool Says(const absl::Status& status, std::string_view part) {
  return std::string_view(status.message().data(), status.message().size()).find(part) !=
         std::string_view::npos;
}

// Opens and expects a refusal with `words` that names the file and changes none.
void ExpectRefused(const DatabaseFolder& folder, std::string_view words) {
  const auto before = folder.Contents();
  const absl::Status status = folder.TryOpen().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(Says(status, words)) << status;
  EXPECT_TRUE(Says(status, folder.file())) << status;
  EXPECT_TRUE(folder.Contents() == before) << "something was changed or left behind";
}

// Runs SQL on the file as another program would, and closes it.
void RunSql(const std::string& path, const std::string& sql) {
  SQLite::Database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(sql);
}

TEST(SqliteRefusals, DatabaseOfANewerVersion) {
  const DatabaseFolder folder;
  ASSERT_TRUE(folder.Open()->Create(MakeAccount("ann")).ok());
  RunSql(folder.file(), "PRAGMA user_version = 4711");
  ExpectRefused(folder, "was made by a newer sasld (schema 4711");
  // The refusal gave the file back.
  RunSql(folder.file(), "PRAGMA user_version = " + std::to_string(CurrentSchemaVersion()));
  EXPECT_TRUE(folder.Open()->Find(Name("ann")).ok());
}

// A newer sasld that was killed: its version may be in the write-ahead log alone.
TEST(SqliteRefusals, DatabaseOfANewerVersionThatOnlyItsLogTells) {
  const DatabaseFolder folder;
  folder.Open();
  const DatabaseFolder crashed;
  {
    SQLite::Database newer(folder.file(), SQLite::OPEN_READWRITE);
    newer.exec("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 4711");
    for (const char* suffix : {"", "-wal"}) {
      std::filesystem::copy_file(folder.file() + suffix, crashed.file() + suffix);
    }
  }
  const auto before = crashed.Contents();
  const absl::Status status = crashed.TryOpen().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(Says(status, "4711")) << status;
  auto after = crashed.Contents();
  after.erase("sasld.db-shm");  // an index of the log, made anew at need
  EXPECT_TRUE(after == before) << "database or log was changed";
}

TEST(SqliteRefusals, DatabaseOfAnotherProgram) {
  const DatabaseFolder folder;
  RunSql(folder.file(), "CREATE TABLE other (x)");
  ExpectRefused(folder, "is a database of another program");
  RunSql(folder.file(), "PRAGMA user_version = 1");
  ExpectRefused(folder, "is a database of another program");
  RunSql(folder.file(), "DROP TABLE other; PRAGMA application_id = 1196444487");
  ExpectRefused(folder, "is a database of another program");
}

TEST(SqliteRefusals, FileThatIsNoDatabase) {
  const DatabaseFolder folder;
  for (const std::string& bytes :
       {std::string("x"), std::string(5000, 'x'), std::string("SQLite format 3")}) {
    std::ofstream(folder.file(), std::ios::trunc) << bytes;
    ExpectRefused(folder, "is not a database");
  }
}

TEST(SqliteRefusals, SomethingThatIsNoFile) {
  const DatabaseFolder folder;
  ASSERT_EQ(mkfifo(folder.file().c_str(), 0600), 0);
  const absl::Status status = folder.TryOpen().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(Says(status, "is not a file")) << status;
  const absl::Status of_folder =
      OpenStore("sqlite:" + folder.path(), StorePresence::kCreateIfMissing, SampleRecordKeys())
          .status();
  EXPECT_TRUE(absl::IsUnavailable(of_folder)) << of_folder;
  EXPECT_TRUE(Says(of_folder, "Is a directory")) << of_folder;
}

TEST(SqliteRefusals, MissingFolder) {
  const DatabaseFolder folder;
  const absl::Status status = OpenStore("sqlite:" + folder.path() + "/gone/sasld.db",
                                        StorePresence::kCreateIfMissing, SampleRecordKeys())
                                  .status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(Says(status, "make the folder " + folder.path() + "/gone first")) << status;
}

TEST(SqliteRefusals, SecondOpenInOneProcess) {
  const DatabaseFolder folder;
  auto first = folder.Open();
  const absl::Status status = folder.TryOpen().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(Says(status, "is in use by another sasld")) << status;
  // The first one does not suffer.
  EXPECT_TRUE(first->Create(MakeAccount("ann")).ok());
  EXPECT_TRUE(first->Find(Name("ann")).ok());
  first.reset();
  EXPECT_TRUE(folder.TryOpen().ok());
}

// Runs `check` in a process of its own, where a failure is an exit status other than 0.
template <class Check>
int ExitStatusOf(Check check) {
  const pid_t child = fork();
  if (child == 0) _exit(check());
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(SqliteRefusals, SecondProcess) {
  const DatabaseFolder folder;
  const auto first = folder.Open();
  const auto refused = [&folder] {
    return absl::IsFailedPrecondition(folder.TryOpen().status()) ? 0 : 1;
  };
  EXPECT_EQ(ExitStatusOf(refused), 0);
  EXPECT_TRUE(first->Create(MakeAccount("ann")).ok());
}

// Root may write everything, so these become nobody, where they can.
int BecomeNobody() { return geteuid() == 0 ? setgid(65534) + setuid(65534) : 0; }

TEST(SqliteRefusals, FileThatIsReadOnly) {
  const DatabaseFolder folder;
  folder.Open();
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  ASSERT_EQ(chmod(folder.file().c_str(), 0444), 0);
  const auto before = folder.Contents();
  EXPECT_EQ(ExitStatusOf([&folder] {
              if (BecomeNobody() != 0) return 2;
              const absl::Status status = folder.TryOpen().status();
              if (!absl::IsUnavailable(status)) return 3;
              if (!Says(status,
                        folder.file() + ": cannot be opened: " + folder.file() + " belongs to ")) {
                return 4;
              }
              return Says(status, "with mode 0444, storage_test runs as uid ") ? 0 : 5;
            }),
            0);
  EXPECT_TRUE(folder.Contents() == before);
}

TEST(SqliteRefusals, FolderThatCannotBeLookedInto) {
  const DatabaseFolder folder;
  folder.Open();
  ASSERT_EQ(chmod(folder.path().c_str(), 0), 0);
  EXPECT_EQ(ExitStatusOf([&folder] {
              if (BecomeNobody() != 0) return 2;
              if (!absl::IsUnavailable(folder.TryOpen().status())) return 3;
              // Not "no": a new key file would make every password wrong.
              return absl::IsUnavailable(StoreExists(folder.url()).status()) ? 0 : 4;
            }),
            0);
  ASSERT_EQ(chmod(folder.path().c_str(), 0700), 0);
}

}  // namespace
}  // namespace sasld
