// A disk that refuses: clear words, nothing changed, logins go on, and so do writes once it is
// mended.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "storage/sqlite/sqlite_store.h"
#include "tests/storage/accounts.h"
#include "tests/storage/sqlite/database_folder.h"
#include "tests/storage/sqlite/faulty_disk.h"

namespace sasld {
namespace {

constexpr int kFoldPages = 12;
constexpr int kForGood = 1'000'000;

struct Trouble {
  const char* name;
  DiskCall call;
  int code;
  int system_error;
  const char* words;
};
std::ostream& operator<<(std::ostream& out, const Trouble& trouble) { return out << trouble.name; }

class FailingDisk : public testing::TestWithParam<Trouble> {
 protected:
  void SetUp() override {
    Open();
    for (const char* name : {"ann", "ben", "cid"}) {
      Account& account = accounts_.emplace_back(MakeAccount(name));
      account.epoch = store_->Create(account).value();
    }
  }

  void Open() {
    store_ = OpenSqliteStore(folder_.file(), StorePresence::kCreateIfMissing, SampleRecordKeys(),
                             kFoldPages)
                 .value();
  }

  FaultyDisk::Fault Fault(int skip, int times) const {
    return {GetParam().call, skip, times, GetParam().code, GetParam().system_error};
  }

  void ExpectAllAsTheyWere(const Store& store) {
    EXPECT_EQ(store.Count().value(), accounts_.size());
    for (const Account& account : accounts_) {
      const auto found = store.Find(account.name);
      ASSERT_TRUE(found.ok()) << found.status();
      ExpectAccount(*found, account, account.epoch);
    }
  }

  // Of a write that was refused.
  void ExpectClear(const absl::Status& status) {
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    const std::string text(status.message());
    EXPECT_NE(text.find(folder_.file()), std::string::npos) << text;
    EXPECT_NE(text.find(GetParam().words), std::string::npos) << text;
    EXPECT_NE(text.find("nothing was changed"), std::string::npos) << text;
    for (const Account& account : accounts_) {
      EXPECT_EQ(text.find(account.name.str()), std::string::npos) << text;
    }
  }

  const DatabaseFolder folder_{InMemory()};
  FaultyDisk disk_;
  std::unique_ptr<Store> store_;
  std::vector<Account> accounts_;
};

// One call after another is the one that fails, until a write comes through without meeting it.
TEST_P(FailingDisk, OneFaultAnywhereIsNoHarm) {
  int refused = 0;
  for (int skip = 0; skip < 200; ++skip) {
    SCOPED_TRACE(skip);
    Account& ann = accounts_[0];
    ann.password_changed += absl::Seconds(1);
    Account before = CloneAccount(ann);
    disk_.Fail(Fault(skip, 1));
    const absl::StatusOr<Epoch> epoch = store_->Update(ann);
    const int faults = disk_.Mend();
    if (epoch.ok()) {
      ann.epoch = *epoch;
    } else {
      ++refused;
      ExpectClear(epoch.status());
      ann.password_changed -= absl::Seconds(1);
    }
    ExpectAllAsTheyWere(*store_);
    // Once it is mended the next write works.
    ann.epoch = store_->Update(ann).value();
    ExpectAllAsTheyWere(*store_);
    if (faults == 0 && skip > 40) break;
  }
  EXPECT_GT(refused, 0);
  store_.reset();
  Open();
  ExpectAllAsTheyWere(*store_);
  store_.reset();
  SQLite::Database database(folder_.file(), SQLite::OPEN_READWRITE);
  EXPECT_EQ(database.execAndGet("PRAGMA integrity_check").getString(), "ok");
}

TEST_P(FailingDisk, LoginsGoOnAsLongAsItFails) {
  disk_.Fail(Fault(0, kForGood));
  for (int i = 0; i < 5; ++i) {
    ExpectClear(store_->Create(MakeAccount("dan")).status());
    ExpectClear(store_->Update(accounts_[0]).status());
    ExpectClear(store_->Remove(accounts_[1].name));
    std::vector<Account> many;
    many.push_back(MakeAccount("eve"));
    ExpectClear(store_->CreateMany(many, IfThere::kReplace).status());
    ExpectAllAsTheyWere(*store_);
    EXPECT_TRUE(store_->List({}).ok());
  }
  // Nor is it any harm to be stopped so.
  store_.reset();
  EXPECT_GT(disk_.Mend(), 0);
  Open();
  ExpectAllAsTheyWere(*store_);
  accounts_[0].epoch = store_->Update(accounts_[0]).value();
  ExpectAllAsTheyWere(*store_);
}

INSTANTIATE_TEST_SUITE_P(
    Disk, FailingDisk,
    testing::Values(
        Trouble{"full", DiskCall::kWrite, SQLITE_FULL, ENOSPC, "the disk is full"},
        Trouble{"broken", DiskCall::kWrite, SQLITE_IOERR_WRITE, EIO, "input/output error"},
        // As a file system that the system made read-only after an error.
        Trouble{"read_only", DiskCall::kWrite, SQLITE_IOERR_WRITE, EROFS, "is read-only"},
        // As SQLite tells of a file that it could open for reading only.
        Trouble{"read_only_file", DiskCall::kWrite, SQLITE_READONLY, 0, "is read-only"},
        Trouble{"sync", DiskCall::kSync, SQLITE_IOERR_FSYNC, EIO, "input/output error"}),
    [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace sasld
