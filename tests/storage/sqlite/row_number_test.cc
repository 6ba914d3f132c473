#include "storage/sqlite/row_number.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/storage/accounts.h"
#include "tests/storage/sqlite/database_folder.h"

namespace sasld {
namespace {

int64_t NumberOf(const DatabaseFolder& folder, const std::string& name) {
  SQLite::Database database(folder.file());
  SQLite::Statement find(database, "SELECT number FROM account WHERE name = ?1");
  find.bind(1, name);
  return find.executeStep() ? find.getColumn(0).getInt64() : -1;
}

void SetNumber(const DatabaseFolder& folder, const std::string& name, int64_t number) {
  SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE);
  SQLite::Statement set(database, "UPDATE account SET number = ?2 WHERE name = ?1");
  set.bind(1, name);
  set.bind(2, number);
  ASSERT_EQ(set.exec(), 1);
}

// Databases are laid out by them.
TEST(RowNumber, IsTheSameForEver) {
  EXPECT_EQ(RowNumberOf(""), 8832978290816513101);
  EXPECT_EQ(RowNumberOf("ann@example.org"), 1395876410483254161);
  EXPECT_EQ(RowNumberOf("bob@example.org"), 6355576612080772875);
}

TEST(RowNumber, IsWhereAnAccountLies) {
  const DatabaseFolder folder;
  ASSERT_TRUE(folder.Open()->Create(MakeAccount("ann")).ok());
  EXPECT_EQ(NumberOf(folder, "ann"), RowNumberOf("ann"));
}

TEST(RowNumber, OfAnOlderDatabaseIsAnotherAndTheAccountIsFound) {
  const DatabaseFolder folder;
  const Account ann = MakeAccount("ann");
  const Epoch epoch = folder.Open()->Create(ann).value();
  SetNumber(folder, "ann", 1);
  ExpectAccount(folder.Open()->Find(ann.name).value(), ann, epoch);
}

TEST(RowNumber, ThatIsTakenLeavesTheNextAccountAnother) {
  const DatabaseFolder folder;
  const Account ann = MakeAccount("ann");
  const Account bob = MakeAccount("bob", 2);
  const Epoch ann_epoch = folder.Open()->Create(ann).value();
  SetNumber(folder, "ann", RowNumberOf("bob"));
  const auto store = folder.Open();
  EXPECT_EQ(store->Find(bob.name).status().code(), absl::StatusCode::kNotFound);
  const Epoch bob_epoch = store->Create(bob).value();
  ExpectAccount(store->Find(ann.name).value(), ann, ann_epoch);
  ExpectAccount(store->Find(bob.name).value(), bob, bob_epoch);
}

TEST(RowNumber, IsMendedWhereARecordIsSealedAnew) {
  const DatabaseFolder folder;
  const Account ann = MakeAccount("ann");
  const Account bob = MakeAccount("bob");
  {
    const auto store = folder.Open();
    ASSERT_TRUE(store->Create(ann).ok());
    ASSERT_TRUE(store->Create(bob).ok());
  }
  SetNumber(folder, "ann", 1);
  SetNumber(folder, "bob", RowNumberOf("ann"));
  const auto all = [](Account&) { return true; };
  ASSERT_TRUE(folder.Open()->Reseal("", 10, all).ok());
  // In order of names: ann's was taken when its turn came.
  EXPECT_EQ(NumberOf(folder, "ann"), 1);
  EXPECT_EQ(NumberOf(folder, "bob"), RowNumberOf("bob"));
  ASSERT_TRUE(folder.Open()->Reseal("", 10, all).ok());
  EXPECT_EQ(NumberOf(folder, "ann"), RowNumberOf("ann"));
  ExpectAccount(folder.Open()->Find(ann.name).value(), ann, 1);
}

}  // namespace
}  // namespace sasld
