#include "server/sasl/secret.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace sasld {
namespace {

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);

template <typename T>
concept Comparable = requires(const T& a, const T& b) {
  a == b;
};
template <typename T>
concept Printable = requires(std::ostream& out, const T& a) {
  out << a;
};
static_assert(!Comparable<Secret>);
static_assert(!Printable<Secret>);

TEST(Secret, HoldsItsBytes) {
  const Secret secret(std::string_view("a\0b", 3));
  EXPECT_EQ(secret.Reveal(), std::string_view("a\0b", 3));
  EXPECT_EQ(secret.size(), 3u);
}

TEST(Secret, MovingEmptiesTheSource) {
  Secret source("x");
  const Secret target(std::move(source));
  EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(target.Reveal(), "x");
}

TEST(Secret, AssignmentTakesOver) {
  Secret target("old");
  target = Secret("new");
  EXPECT_EQ(target.Reveal(), "new");
}

TEST(Secret, WipeMemoryLeavesZeros) {
  char bytes[] = {'a', 'b', 'c'};
  WipeMemory(bytes, sizeof bytes);
  EXPECT_EQ(std::string_view(bytes, 3), std::string_view("\0\0\0", 3));
}

TEST(Secret, ComparesByContentOnly) {
  EXPECT_TRUE(EqualsConstantTime("abc", "abc"));
  EXPECT_TRUE(EqualsConstantTime("", ""));
  EXPECT_FALSE(EqualsConstantTime("abc", "abd"));
  EXPECT_FALSE(EqualsConstantTime("abc", "ab"));
}

}  // namespace
}  // namespace sasld
