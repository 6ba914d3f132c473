// Loss of power at any moment: what was acknowledged is there, nothing is there by half, and the
// database is whole, whatever of the unsynced came to the disk.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "storage/sqlite/sqlite_store.h"
#include "tests/storage/accounts.h"
#include "tests/storage/sqlite/database_folder.h"
#include "tests/storage/sqlite/faulty_disk.h"

namespace sasld {
namespace {

constexpr int kSteps = 160;
constexpr int kFoldPages = 12;  // so that the log is folded back every few writes
constexpr int kTogether = 4;

// By name, what its record says; a name that is not in it is nobody's.
using Contents = std::map<std::string, std::string>;

Account Holding(const std::string& name, const std::string& version) {
  Account account = MakeBareAccount(name);
  // Over a page at times, so that a write is of several.
  account.attributes = {{"version", version}, {"load", std::string(version.size() * 900, 'x')}};
  return account;
}

// What the disk would have at a moment, and what may be in it.
struct Moment {
  FaultyDisk::Files files;
  Contents before;  // all that was acknowledged
  Contents after;   // and what was under way
};

RecordKeys& TwoKeys() {
  static RecordKeys* const keys = [] {
    auto* made = new RecordKeys;
    made->Add(1, Secret(std::string(32, 'k')));
    return made;
  }();
  return *keys;
}

class PowerLoss : public testing::Test {
 protected:
  // Writes this and that; at random moments of it notes what the disk would have.
  void Write(FaultyDisk& disk, const DatabaseFolder& folder) {
    disk.BeforeEachChange([this, &disk] {
      ++changes_;
      if (random_() % 3 == 0) moments_.push_back({disk.AfterPowerLoss(random_), before_, after_});
    });
    for (int step = 0; step < kSteps && !HasFatalFailure(); ++step) {
      if (!store_) Open(folder);
      if (step == kSteps / 2) TwoKeys().Add(2, Secret(std::string(32, 'l')));
      Step(step);
      if (random_() % 25 == 0) store_.reset();  // folds the log back and removes it
    }
    store_.reset();
    disk.BeforeEachChange(nullptr);
  }

  void Open(const DatabaseFolder& folder) {
    auto opened =
        OpenSqliteStore(folder.file(), StorePresence::kCreateIfMissing, TwoKeys(), kFoldPages);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  void Step(int step) {
    const std::string version(1 + random_() % 9, static_cast<char>('a' + step % 26));
    switch (random_() % 6) {
      case 0:
      case 1:
        return Create("user" + std::to_string(step), version);
      case 2:
        return CreateMany(step, version);
      case 3:
        return Update(version);
      case 4:
        return Remove();
      default:
        return Reseal();
    }
  }

  void Create(const std::string& name, const std::string& version) {
    after_[name] = version;
    ASSERT_TRUE(store_->Create(Holding(name, version)).ok());
    before_ = after_;
  }

  void CreateMany(int step, const std::string& version) {
    std::vector<Account> accounts;
    for (int i = 0; i < kTogether; ++i) {
      const std::string name = "many" + std::to_string(step) + "-" + std::to_string(i);
      accounts.push_back(Holding(name, version));
      after_[name] = version;
    }
    ASSERT_TRUE(store_->CreateMany(accounts, IfThere::kRefuse).ok());
    before_ = after_;
  }

  void Update(const std::string& version) {
    if (before_.empty()) return;
    const std::string name = AnyName();
    Account account = Holding(name, version);
    account.epoch = store_->Find(account.name)->epoch;
    after_[name] = version;
    ASSERT_TRUE(store_->Update(account).ok());
    before_ = after_;
  }

  void Remove() {
    if (before_.empty()) return;
    const std::string name = AnyName();
    after_.erase(name);
    ASSERT_TRUE(store_->Remove(Name(name)).ok());
    before_ = after_;
  }

  void Reseal() {
    ASSERT_TRUE(store_->Reseal("", 10, [](Account&) { return false; }).ok());
  }

  std::string AnyName() {
    return std::next(before_.begin(), static_cast<int>(random_() % before_.size()))->first;
  }

  std::mt19937 random_{20261124};
  std::unique_ptr<Store> store_;
  Contents before_;
  Contents after_;
  std::vector<Moment> moments_;
  int changes_ = 0;
};

Contents ContentsOf(const Store& store) {
  const auto accounts = store.List({});
  EXPECT_TRUE(accounts.ok()) << accounts.status();
  Contents contents;
  std::set<Epoch> epochs;
  if (!accounts.ok()) return contents;
  for (const Account& account : *accounts) {
    const std::string version = account.attributes.at("version");
    ExpectAccount(account, Holding(account.name.str(), version), account.epoch);
    EXPECT_TRUE(epochs.insert(account.epoch).second) << "an epoch twice";
    contents.emplace(account.name.str(), version);
  }
  EXPECT_EQ(store.Count().value(), contents.size());
  return contents;
}

// Starts the machine again with what the disk has.
void ExpectSurvived(const Moment& moment) {
  const DatabaseFolder folder(InMemory());
  for (const auto& [path, bytes] : moment.files) {
    std::ofstream(folder.path() + path.substr(path.rfind('/')), std::ios::binary) << bytes;
  }
  {
    auto store = OpenStore(folder.url(), StorePresence::kCreateIfMissing, TwoKeys());
    ASSERT_TRUE(store.ok()) << store.status();
    const Contents contents = ContentsOf(**store);
    EXPECT_TRUE(contents == moment.before || contents == moment.after)
        << contents.size() << " accounts of " << moment.before.size();
    ASSERT_TRUE((*store)->Create(MakeBareAccount("afterwards")).ok());
  }
  SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE);
  EXPECT_EQ(database.execAndGet("PRAGMA integrity_check").getString(), "ok");
}

TEST_F(PowerLoss, LosesNothingAcknowledged) {
  const DatabaseFolder folder(InMemory());
  FaultyDisk disk;
  Write(disk, folder);
  ASSERT_FALSE(HasFailure());
  EXPECT_GT(changes_, 1000);
  ASSERT_GT(moments_.size(), 300U) << "the test is too short to tell";
  for (size_t i = 0; i < moments_.size() && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    ExpectSurvived(moments_[i]);
  }
}

// That the disk forgets what nobody synced, or the test above would tell nothing.
TEST_F(PowerLoss, TheDiskForgetsWhatIsNotSynced) {
  const DatabaseFolder folder(InMemory());
  std::ofstream(folder.file())
      .flush();  // as the store does it, and its entry in the folder is safe
  FaultyDisk disk;
  SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE t (x);"
      "PRAGMA wal_checkpoint(TRUNCATE)");
  database.exec("INSERT INTO t VALUES (1)");
  std::set<int> rows;
  for (int i = 0; i < 50; ++i) {
    const DatabaseFolder later(InMemory());
    for (const auto& [path, bytes] : disk.AfterPowerLoss(random_)) {
      if (!path.starts_with(folder.path())) continue;  // of a round before
      std::ofstream(later.path() + path.substr(path.rfind('/')), std::ios::binary) << bytes;
    }
    rows.insert(SQLite::Database(later.file(), SQLite::OPEN_READWRITE)
                    .execAndGet("SELECT count(*) FROM t")
                    .getInt());
  }
  EXPECT_EQ(rows, (std::set<int>{0, 1}));
}

}  // namespace
}  // namespace sasld
