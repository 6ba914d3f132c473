// What a thief of the database file, or a hand that changes it, gets.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/storage/accounts.h"
#include "tests/storage/sqlite/database_folder.h"

namespace sasld {
namespace {

bool Holds(const DatabaseFolder& folder, std::string_view bytes) {
  for (const auto& [name, contents] : folder.Contents()) {
    if (contents.find(bytes) != std::string::npos) return true;
  }
  return false;
}

void Change(const DatabaseFolder& folder, const std::string& sql) {
  SQLite::Database(folder.file(), SQLite::OPEN_READWRITE).exec(sql);
}

TEST(Sealing, NothingOfAnAccountButItsNamesIsInTheFile) {
  const DatabaseFolder folder;
  const Account ann = MakeAccount("ann@example.org", 'q');
  const auto store = folder.Open();
  ASSERT_TRUE(store->Create(ann).ok());
  EXPECT_TRUE(Holds(folder, "ann@example.org"));
  for (const std::string_view kept :
       {std::string_view("$argon2id$"), std::string_view("$6$"), std::string_view("qqqqqqqq"),
        std::string_view("the phone"), std::string_view("/srv/"), std::string_view("192.0.2.7")}) {
    EXPECT_FALSE(Holds(folder, kept)) << kept;
  }
}

// Each byte of each column of an account's row.
TEST(Sealing, EveryChangedByteIsNoticed) {
  const DatabaseFolder folder;
  folder.Open()->Create(MakeAccount("ann")).value();
  std::string record;
  {
    SQLite::Database database(folder.file(), SQLite::OPEN_READONLY);
    SQLite::Statement select(database, "SELECT record FROM account");
    ASSERT_TRUE(select.executeStep());
    record = select.getColumn(0).getString();
  }
  for (size_t at = 0; at < record.size(); at += record.size() / 50 + 1) {
    std::string changed = record;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    {
      SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE);
      SQLite::Statement update(database, "UPDATE account SET record = ?");
      update.bind(1, changed.data(), static_cast<int>(changed.size()));
      update.exec();
    }
    const absl::Status status = folder.Open()->Find(Name("ann")).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << at << ": " << status;
    EXPECT_EQ(status.message().find("ann"), std::string::npos) << "the text tells the user";
  }
}

TEST(Sealing, AnotherNameOrEpochIsNoticed) {
  for (const char* sql :
       {"UPDATE account SET name = 'ben'", "UPDATE account SET epoch = epoch + 1"}) {
    const DatabaseFolder folder;
    folder.Open()->Create(MakeAccount("ann")).value();
    Change(folder, sql);
    const auto store = folder.Open();
    const absl::Status ann = store->Find(Name("ann")).status();
    const absl::Status ben = store->Find(Name("ben")).status();
    EXPECT_TRUE(absl::IsDataLoss(ann) || absl::IsDataLoss(ben)) << sql;
    EXPECT_FALSE(ann.ok() || ben.ok()) << sql;
    EXPECT_TRUE(absl::IsDataLoss(store->List({}).status()));
  }
}

TEST(Sealing, SwappedRowsAreNoticed) {
  const DatabaseFolder folder;
  {
    const auto store = folder.Open();
    ASSERT_TRUE(store->Create(MakeAccount("ann", 1)).ok());
    ASSERT_TRUE(store->Create(MakeAccount("ben", 2)).ok());
  }
  Change(folder,
         "CREATE TEMP TABLE a AS SELECT * FROM account;"
         "UPDATE account SET (epoch, record) = (SELECT epoch, record FROM a WHERE a.name <> "
         "account.name)");
  const auto store = folder.Open();
  EXPECT_TRUE(absl::IsDataLoss(store->Find(Name("ann")).status()));
  EXPECT_TRUE(absl::IsDataLoss(store->Find(Name("ben")).status()));
}

TEST(Sealing, AnAliasThatWasAddedByHandIsNoticed) {
  const DatabaseFolder folder;
  folder.Open()->Create(MakeBareAccount("ann")).value();
  Change(folder, "INSERT INTO alias VALUES ('root', 'ann')");
  EXPECT_TRUE(absl::IsDataLoss(folder.Open()->Find(Name("root")).status()));
}

TEST(Sealing, AnotherKeyFileIsToldAtTheStart) {
  const DatabaseFolder folder;
  folder.Open()->Create(MakeAccount("ann")).value();
  const auto before = folder.Contents();
  for (const uint32_t id : {1U, 2U}) {
    RecordKeys others;
    others.Add(id, Secret(std::string(32, 'x')));
    const absl::Status status = OpenStore(folder.url(), StorePresence::kMustExist, others).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_NE(status.message().find("key 1 that is"), std::string::npos) << status;
  }
  EXPECT_TRUE(folder.Contents() == before);
}

class Rotation : public testing::Test {
 protected:
  void SetUp() override {
    keys_.Add(1, Secret(std::string(32, 'a')));
    auto store = OpenStore(folder_.url(), StorePresence::kCreateIfMissing, keys_);
    ASSERT_TRUE(store.ok()) << store.status();
    for (int i = 0; i < 50; ++i) {
      names_.push_back("user" + std::to_string(i));
      epochs_.push_back((*store)->Create(MakeAccount(names_.back(), i)).value());
    }
  }
  std::unique_ptr<Store> Open() {
    auto store = OpenStore(folder_.url(), StorePresence::kMustExist, keys_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  void ExpectAll(const Store& store) {
    for (int i = 0; i < 50; ++i) {
      const auto index = static_cast<size_t>(i);
      ExpectAccount(store.Find(Name(names_[index])).value(), MakeAccount(names_[index], i),
                    epochs_[index]);
    }
  }
  const DatabaseFolder folder_;
  RecordKeys keys_;
  std::vector<std::string> names_;
  std::vector<Epoch> epochs_;
};

bool NoAmendment(Account&) { return false; }

TEST_F(Rotation, GoesOnWhereItWasLeft) {
  using Counts = std::map<uint32_t, uint64_t>;
  keys_.Add(2, Secret(std::string(32, 'b')));
  std::string after;
  {
    const auto store = Open();
    EXPECT_EQ(store->CountByKey().value(), (Counts{{1, 50}}));
    for (int batch = 0; batch < 3; ++batch) after = store->Reseal(after, 7, &NoAmendment).value();
    EXPECT_EQ(store->CountByKey().value(), (Counts{{1, 29}, {2, 21}}));
    EXPECT_TRUE(absl::IsFailedPrecondition(store->ForgetKey(1)));
    ExpectAll(*store);
  }
  const auto store = Open();
  after.clear();
  int batches = 0;
  do {
    after = store->Reseal(after, 7, &NoAmendment).value();
  } while (!after.empty() && ++batches < 100);
  EXPECT_EQ(store->CountByKey().value(), (Counts{{2, 50}}));
  ExpectAll(*store);
  ASSERT_TRUE(store->ForgetKey(1).ok());
  keys_.Drop(1);
  ExpectAll(*store);
}

TEST_F(Rotation, WithoutTheOldKeyItStartsOnceThatIsForgotten) {
  keys_.Add(2, Secret(std::string(32, 'b')));
  {
    const auto store = Open();
    ASSERT_EQ(store->Reseal("", 1000, &NoAmendment).value(), "");
    ASSERT_TRUE(store->ForgetKey(1).ok());
  }
  keys_.Drop(1);
  ExpectAll(*Open());
}

TEST_F(Rotation, StoresWhatTheAmendmentMade) {
  keys_.Add(2, Secret(std::string(32, 'b')));
  const auto store = Open();
  const auto amend = [](Account& account) {
    account.credential.pepper_id = 99;
    return true;
  };
  ASSERT_TRUE(store->Reseal("", 1000, amend).ok());
  const Account found = store->Find(Name("user1")).value();
  EXPECT_EQ(found.credential.pepper_id, 99u);
  EXPECT_EQ(found.epoch, epochs_[1]) << "nothing of the account's rights has changed";
}

// One that was damaged stays as it is, and its key cannot be forgotten.
TEST_F(Rotation, IsNotHeldUpByADamagedAccount) {
  {
    SQLite::Database database(folder_.file(), SQLite::OPEN_READWRITE);
    database.exec(
        "UPDATE account SET record = CAST(substr(record, 1, length(record) - 1) || x'00' AS BLOB) "
        "WHERE name = 'user7'");
  }
  keys_.Add(2, Secret(std::string(32, 'b')));
  const auto store = Open();
  ASSERT_EQ(store->Reseal("", 1000, &NoAmendment).value(), "");
  EXPECT_EQ(store->CountByKey().value(), (std::map<uint32_t, uint64_t>{{1, 1}, {2, 49}}));
  EXPECT_TRUE(absl::IsFailedPrecondition(store->ForgetKey(1)));
}

}  // namespace
}  // namespace sasld
