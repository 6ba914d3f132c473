// Copies of a store in use, and whether they can take its place.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>

#include "tests/storage/accounts.h"
#include "tests/storage/sqlite/database_folder.h"

namespace sasld {
namespace {

bool Says(const absl::Status& status, std::string_view part) {
  return std::string(status.message()).find(part) != std::string::npos;
}

class Backup : public testing::Test {
 protected:
  // So many that copying takes several steps.
  void Fill(int users) {
    std::vector<Account> accounts;
    for (int i = 0; i < users; ++i) accounts.push_back(MakeAccount("user" + std::to_string(i)));
    ASSERT_TRUE(store_->CreateMany(accounts, IfThere::kRefuse).ok());
  }

  static bool GoOn(const BackupProgress&) { return true; }
  absl::StatusOr<uint64_t> Check(const RecordKeys& keys = SampleRecordKeys()) {
    return CheckBackup(folder_.url(), path_, keys);
  }

  const DatabaseFolder folder_;
  const std::string path_ = folder_.path() + "/backup.db";
  std::unique_ptr<Store> store_ = folder_.Open();
};

TEST_F(Backup, TakesTheStoresPlace) {
  Fill(300);
  ASSERT_TRUE(store_->Remove(Name("user7")).ok());
  EXPECT_EQ(store_->BackUp(path_, &GoOn).value(), 299U);
  const Epoch last = store_->Create(MakeAccount("later")).value();
  struct stat facts {};
  ASSERT_EQ(stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600U);
  EXPECT_EQ(Check().value(), 299U);
  EXPECT_EQ(folder_.Contents().count("backup.db-wal"), 0U);
  EXPECT_EQ(folder_.Contents().count("backup.db.draft"), 0U);

  const auto restored =
      OpenStore("sqlite:" + path_, StorePresence::kMustExist, SampleRecordKeys()).value();
  EXPECT_EQ(restored->Count().value(), 299U);
  EXPECT_TRUE(absl::IsNotFound(restored->Find(Name("later")).status()));
  const Account expected = MakeAccount("user5");
  const Account found = restored->Find(expected.name).value();
  ExpectAccount(found, expected, found.epoch);
  EXPECT_EQ(restored->Create(MakeAccount("new")).value(), last);
}

TEST_F(Backup, IsOfOneMomentWhileOthersWrite) {
  Fill(1500);
  std::atomic<bool> stop = false;
  std::atomic<int> written = 0;
  // Two accounts that say the same at any moment.
  std::thread writer([this, &stop, &written] {
    for (int i = 0; !stop; ++i) {
      std::vector<Account> pair;
      for (const char* name : {"aaa", "zzz"}) {
        pair.push_back(MakeBareAccount(name));
        pair.back().attributes["say"] = std::to_string(i);
      }
      EXPECT_TRUE(store_->CreateMany(pair, IfThere::kReplace).ok());
      ++written;
    }
  });
  while (written == 0) std::this_thread::yield();
  int steps = 0;
  const auto accounts = store_->BackUp(path_, [&](const BackupProgress& progress) {
    if (!progress.checking) ++steps;
    // Each step is followed by a write.
    for (const int before = written; written == before;) std::this_thread::yield();
    EXPECT_TRUE(store_->Find(Name("user1")).ok());
    return true;
  });
  stop = true;
  writer.join();
  ASSERT_TRUE(accounts.ok()) << accounts.status();
  EXPECT_EQ(*accounts, 1502U);
  EXPECT_GT(steps, 2);
  const auto restored =
      OpenStore("sqlite:" + path_, StorePresence::kMustExist, SampleRecordKeys()).value();
  EXPECT_EQ(restored->Find(Name("aaa"))->attributes, restored->Find(Name("zzz"))->attributes);
  EXPECT_EQ(restored->Count().value(), 1502U);
}

TEST_F(Backup, IsRefusedWhereThereIsAFile) {
  std::ofstream(path_) << "precious";
  const absl::Status status = store_->BackUp(path_, &GoOn).status();
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_TRUE(Says(status, path_)) << status;
  EXPECT_EQ(folder_.Contents()["backup.db"], "precious");
  std::ofstream(folder_.path() + "/other.db.draft") << "left";
  EXPECT_TRUE(Says(store_->BackUp(folder_.path() + "/other.db", &GoOn).status(), "cut short"));
  EXPECT_EQ(folder_.Contents()["other.db.draft"], "left");
  EXPECT_TRUE(absl::IsInvalidArgument(store_->BackUp("backup.db", &GoOn).status()));
  const absl::Status nowhere = store_->BackUp(folder_.path() + "/none/b.db", &GoOn).status();
  EXPECT_TRUE(absl::IsUnavailable(nowhere)) << nowhere;
  EXPECT_TRUE(Says(nowhere, "make the folder")) << nowhere;
}

TEST_F(Backup, LeavesNothingWhenStopped) {
  Fill(500);
  for (const bool while_checking : {false, true}) {
    const absl::Status status =
        store_->BackUp(path_, [&](const BackupProgress& p) { return p.checking != while_checking; })
            .status();
    // A check this short says nothing of itself.
    if (while_checking && status.ok()) continue;
    EXPECT_TRUE(absl::IsCancelled(status)) << status;
    EXPECT_EQ(folder_.Contents().count("backup.db"), 0U);
    EXPECT_EQ(folder_.Contents().count("backup.db.draft"), 0U);
    EXPECT_TRUE(store_->Create(MakeBareAccount("next")).ok());
  }
}

TEST_F(Backup, IsOneAtATime) {
  Fill(500);
  bool asked = false;
  ASSERT_TRUE(store_
                  ->BackUp(path_,
                           [&](const BackupProgress&) {
                             const absl::Status second =
                                 store_->BackUp(folder_.path() + "/second.db", &GoOn).status();
                             EXPECT_TRUE(absl::IsResourceExhausted(second)) << second;
                             asked = true;
                             return true;
                           })
                  .ok());
  EXPECT_TRUE(asked);
  EXPECT_TRUE(store_->BackUp(folder_.path() + "/second.db", &GoOn).ok());
}

TEST_F(Backup, CheckTellsWhatIsWrong) {
  EXPECT_TRUE(absl::IsNotFound(Check().status()));
  Fill(300);
  ASSERT_TRUE(store_->BackUp(path_, &GoOn).ok());
  RecordKeys others;
  others.Add(1, Secret(std::string(32, 'x')));
  EXPECT_TRUE(absl::IsFailedPrecondition(Check(others).status())) << Check(others).status();
  EXPECT_TRUE(Says(Check(others).status(), "restore the key file")) << Check(others).status();
  const auto in_use = CheckBackup(folder_.url(), folder_.file(), SampleRecordKeys());
  EXPECT_TRUE(Says(in_use.status(), "in use by a sasld")) << in_use.status();

  const auto spoil = [this](const std::string& sql) {
    SQLite::Database(path_, SQLite::OPEN_READWRITE).exec(sql);
  };
  spoil("UPDATE account SET record = zeroblob(100) WHERE name = 'user3'");
  EXPECT_TRUE(absl::IsDataLoss(Check().status())) << Check().status();
  spoil("DELETE FROM account WHERE name = 'user3'");
  EXPECT_TRUE(Says(Check().status(), "299 users where it counted 300")) << Check().status();
  spoil("PRAGMA user_version = 3");
  EXPECT_TRUE(Says(Check().status(), "older sasld")) << Check().status();
  std::ofstream(path_, std::ios::trunc) << "no database at all, whatever it is called";
  EXPECT_TRUE(Says(Check().status(), "is not a database")) << Check().status();
}

TEST_F(Backup, CheckChangesNothing) {
  Fill(50);
  ASSERT_TRUE(store_->BackUp(path_, &GoOn).ok());
  store_.reset();
  const auto before = folder_.Contents();
  EXPECT_EQ(Check().value(), 50U);
  EXPECT_TRUE(folder_.Contents() == before);
}

TEST(BackupOfMemory, IsRefusedInWords) {
  const auto store =
      OpenStore("memory:", StorePresence::kCreateIfMissing, SampleRecordKeys()).value();
  const absl::Status status =
      store->BackUp("/tmp/none.db", [](const BackupProgress&) { return true; }).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(Says(status, "memory:")) << status;
}

}  // namespace
}  // namespace sasld
