// What a hand that changes domains in the database gets, and what a change of keys does to them.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <string>

#include "storage/domain_record.h"
#include "tests/storage/accounts.h"
#include "tests/storage/sqlite/database_folder.h"

namespace sasld {
namespace {

class DomainSealing : public testing::Test {
 protected:
  void SetUp() override {
    const auto store = folder_.Open();
    ASSERT_TRUE(store->Create(MakeAccount("ann@example.org")).ok());
    ASSERT_TRUE(store->Create(MakeAccount("dan@example.com")).ok());
    ASSERT_TRUE(store->PutDomain(MakeDomain("example.org")).ok());
    ASSERT_TRUE(store->PutDomain(MakeDomain("example.net", 2)).ok());
  }
  void Change(const std::string& sql) {
    SQLite::Database(folder_.file(), SQLite::OPEN_READWRITE).exec(sql);
  }
  // The domain, and whoever reads accounts of it, meets data that was changed.
  void ExpectNoticed() {
    const auto store = folder_.Open();
    for (const absl::Status& status :
         {store->FindDomain("example.org").status(), store->ListDomains("", 10).status(),
          store->Find(Name("ann@example.org")).status(), store->List({}).status()}) {
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      EXPECT_EQ(status.message().find("example"), std::string::npos) << status;
    }
    EXPECT_TRUE(store->Find(Name("dan@example.com")).ok()) << "others log in on";
    const std::string backup = folder_.path() + "/backup.db";
    EXPECT_TRUE(absl::IsDataLoss(
        store->BackUp(backup, [](const BackupProgress&) { return true; }).status()));
  }
  const DatabaseFolder folder_;
};

TEST_F(DomainSealing, NothingOfADomainButItsNameIsInTheFile) {
  for (const auto& [name, contents] : folder_.Contents()) {
    for (const std::string_view kept : {"/srv/%d", "198.51.100.0/24"}) {
      EXPECT_EQ(contents.find(kept), std::string::npos) << kept;
    }
  }
}

TEST_F(DomainSealing, EveryChangedByteIsNoticed) {
  std::string record;
  {
    SQLite::Database database(folder_.file(), SQLite::OPEN_READONLY);
    SQLite::Statement select(database, "SELECT record FROM domain WHERE name = 'example.org'");
    ASSERT_TRUE(select.executeStep());
    record = select.getColumn(0).getString();
  }
  for (size_t at = 0; at < record.size(); at += 7) {
    SCOPED_TRACE(at);
    std::string changed = record;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    {
      SQLite::Database database(folder_.file(), SQLite::OPEN_READWRITE);
      SQLite::Statement update(database, "UPDATE domain SET record = ? WHERE name = 'example.org'");
      update.bind(1, changed.data(), static_cast<int>(changed.size()));
      update.exec();
    }
    ExpectNoticed();
  }
}

TEST_F(DomainSealing, AChangedEpochIsNoticed) {
  Change("UPDATE domain SET epoch = epoch + 1");
  ExpectNoticed();
}

TEST_F(DomainSealing, SwappedRowsAreNoticed) {
  Change(
      "CREATE TEMP TABLE d AS SELECT * FROM domain;"
      "UPDATE domain SET (epoch, record) = (SELECT epoch, record FROM d WHERE d.name <> "
      "domain.name)");
  ExpectNoticed();
}

// A store that finds domains at its start reads accounts with them at once.
TEST_F(DomainSealing, DomainsAreThereAfterARestart) {
  const auto store = folder_.Open();
  const Account ann = store->Find(Name("ann@example.org")).value();
  ASSERT_NE(ann.domain, nullptr);
  EXPECT_EQ(ann.domain->attributes, MakeDomain("example.org").attributes);
}

// The domain's own name, and so the account's.
TEST_F(DomainSealing, AnAccountsRecordInADomainsPlaceIsNoticed) {
  ASSERT_TRUE(folder_.Open()->Create(MakeBareAccount("example.org")).ok());
  Change(
      "UPDATE domain SET (epoch, record) = (SELECT epoch, record FROM account WHERE account.name = "
      "'example.org') WHERE name = 'example.org'");
  ExpectNoticed();
}

// Else an account could be rid of what its domain demands.
TEST_F(DomainSealing, AnAccountThatWasMovedToAnotherDomainIsNoticed) {
  for (const char* domain : {"NULL", "'example.net'"}) {
    Change(std::string("UPDATE account SET domain = ") + domain +
           " WHERE name = 'ann@example.org'");
    const auto store = folder_.Open();
    EXPECT_TRUE(absl::IsDataLoss(store->Find(Name("ann@example.org")).status())) << domain;
    EXPECT_TRUE(store->Find(Name("dan@example.com")).ok());
  }
}

class DomainRotation : public testing::Test {
 protected:
  void SetUp() override {
    keys_.Add(1, Secret(std::string(32, 'a')));
    const auto store = Open();
    for (const char* name : {"a.example", "b.example", "c.example"}) {
      ASSERT_TRUE(store->PutDomain(MakeDomain(name)).ok());
    }
    ASSERT_TRUE(store->Create(MakeAccount("ann@a.example")).ok());
    keys_.Add(2, Secret(std::string(32, 'b')));
  }
  std::unique_ptr<Store> Open() {
    auto store = OpenStore(folder_.url(), StorePresence::kCreateIfMissing, keys_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  static bool NoAmendment(Account&) { return false; }
  using Counts = std::map<uint32_t, uint64_t>;
  const DatabaseFolder folder_;
  RecordKeys keys_;
};

TEST_F(DomainRotation, SealsAllDomainsAnew) {
  Domain before;
  {
    const auto store = Open();
    before = store->FindDomain("b.example").value();
    EXPECT_EQ(store->CountByKey().value(), (Counts{{1, 4}}));
    // In the middle of the accounts they are not looked at again.
    ASSERT_TRUE(store->Reseal("zzz", 10, &NoAmendment).ok());
    EXPECT_EQ(store->CountByKey().value(), (Counts{{1, 4}}));
    EXPECT_TRUE(absl::IsFailedPrecondition(store->ForgetKey(1)));
    ASSERT_TRUE(store->Reseal("", 10, &NoAmendment).ok());
    EXPECT_EQ(store->CountByKey().value(), (Counts{{2, 4}}));
    EXPECT_EQ(store->FindDomain("b.example").value(), before);
    ASSERT_TRUE(store->ForgetKey(1).ok());
  }
  keys_.Drop(1);
  const auto store = Open();
  EXPECT_EQ(store->FindDomain("b.example").value(), before);
  EXPECT_EQ(store->Find(Name("ann@a.example"))->domain->name, "a.example");
}

// One that was damaged stays as it is, holds up nothing else, and its key cannot be forgotten.
TEST_F(DomainRotation, IsNotHeldUpByADamagedDomain) {
  SQLite::Database(folder_.file(), SQLite::OPEN_READWRITE)
      .exec("UPDATE domain SET epoch = epoch + 1 WHERE name = 'a.example'");
  const auto store = Open();
  ASSERT_TRUE(store->Reseal("", 10, &NoAmendment).ok());
  EXPECT_EQ(store->CountByKey().value(), (Counts{{1, 1}, {2, 3}}));
  const absl::Status forgotten = store->ForgetKey(1);
  EXPECT_TRUE(absl::IsFailedPrecondition(forgotten)) << forgotten;
}

}  // namespace
}  // namespace sasld
