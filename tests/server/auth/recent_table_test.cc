#include "server/auth/recent_table.h"

#include <gtest/gtest.h>

#include <string>

namespace sasld {
namespace {

using Table = RecentTable<int, std::string>;

TEST(RecentTable, KeepsWhatWasPutIn) {
  Table table(8);
  EXPECT_EQ(table.Find(1), nullptr);
  EXPECT_EQ(table.Touch(1), "");
  table.Touch(1) = "one";
  EXPECT_EQ(*table.Find(1), "one");
  EXPECT_EQ(table.size(), 1u);
}

// Wherever in the turn of its halves it comes in.
TEST(RecentTable, KeepsWhatHalfAsManyCameAfter) {
  for (int before = 0; before < 10; ++before) {
    Table table(8);
    int other = 0;
    while (other < before) table.Touch(++other);
    table.Touch(-1) = "kept";
    for (int after = 0; after < 4; ++after) {
      ASSERT_NE(table.Find(-1), nullptr) << before << " before it, " << after << " after it";
      EXPECT_EQ(*table.Find(-1), "kept");
      table.Touch(++other);
      EXPECT_LE(table.size(), 8u);
    }
    for (int after = 4; after < 8; ++after) table.Touch(++other);
    EXPECT_EQ(table.Find(-1), nullptr);
  }
}

TEST(RecentTable, KeepsWhatIsTouchedNowAndThen) {
  Table table(8);
  table.Touch(-1) = "kept";
  for (int other = 0; other < 100; ++other) {
    table.Touch(other);
    if (other % 3 == 0) {
      EXPECT_EQ(table.Touch(-1), "kept") << other;
    }
    EXPECT_LE(table.size(), 8u);
  }
}

TEST(RecentTable, HasEachOnceWhicheverHalfItIsIn) {
  Table table(4);
  for (int key = 1; key <= 3; ++key) table.Touch(key);
  table.Touch(1);
  EXPECT_EQ(table.size(), 3u);
}

TEST(RecentTable, ToFindIsNotToTouch) {
  Table table(8);
  table.Touch(-1) = "looked at";
  for (int other = 0; other < 8; ++other) {
    (void)table.Find(-1);
    table.Touch(other);
  }
  EXPECT_EQ(table.Find(-1), nullptr);
}

TEST(RecentTable, OfTheSmallestSizeHoldsTwo) {
  Table table(2);
  table.Touch(1);
  table.Touch(2);
  EXPECT_NE(table.Find(1), nullptr);
  table.Touch(3);
  EXPECT_EQ(table.Find(1), nullptr);
  EXPECT_EQ(table.size(), 2u);
}

}  // namespace
}  // namespace sasld
