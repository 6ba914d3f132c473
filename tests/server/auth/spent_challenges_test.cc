#include "server/auth/spent_challenges.h"

#include <gtest/gtest.h>

#include <string>

namespace sasld {
namespace {

using Use = SpentChallenges::Use;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);
absl::Time After(int seconds) { return kStart + absl::Seconds(seconds); }

TEST(SpentChallenges, EachIsFirstOnce) {
  SpentChallenges spent;
  EXPECT_EQ(spent.Mark("a", After(120), After(0)), Use::kFirst);
  EXPECT_EQ(spent.Mark("a", After(120), After(0)), Use::kAgain);
  EXPECT_EQ(spent.Mark("b", After(120), After(1)), Use::kFirst);
  EXPECT_EQ(spent.Mark(std::string_view("\0a", 2), After(120), After(1)), Use::kFirst);
  EXPECT_EQ(spent.Mark(std::string_view("\0b", 2), After(120), After(1)), Use::kFirst);
}

// Whenever it was answered, and whatever came between, up to the last moment.
TEST(SpentChallenges, IsRememberedToItsExpiry) {
  for (int answered = 0; answered < 250; ++answered) {
    SpentChallenges spent;
    for (int second = 0; second <= answered + 119; ++second) {
      const std::string other = "other" + std::to_string(second);
      ASSERT_EQ(spent.Mark(other, After(second + 120), After(second)), Use::kFirst);
      if (second == answered) {
        ASSERT_EQ(spent.Mark("a", After(second + 120), After(second)), Use::kFirst);
      }
    }
    const absl::Time last_moment = After(answered + 120) - absl::Milliseconds(1);
    ASSERT_EQ(spent.Mark("a", After(answered + 120), last_moment), Use::kAgain) << answered;
  }
}

// As after a reload that shortened policy.state_lifetime.
TEST(SpentChallenges, ShorterLivesOfOthersDoNotShortenIts) {
  SpentChallenges spent;
  EXPECT_EQ(spent.Mark("long", After(3600), After(0)), Use::kFirst);
  for (int second = 0; second < 3600; second += 7) {
    spent.Mark("short" + std::to_string(second), After(second + 1), After(second));
  }
  EXPECT_EQ(spent.Mark("long", After(3600), After(3599)), Use::kAgain);
}

TEST(SpentChallenges, HasABoundAndRoomAgainLater) {
  SpentChallenges spent;
  // The first may go into the elder generation.
  for (size_t i = 0; i <= SpentChallenges::kMost; ++i) {
    ASSERT_EQ(spent.Mark("a" + std::to_string(i), After(120), After(0)), Use::kFirst) << i;
  }
  EXPECT_EQ(spent.Mark("one more", After(120), After(0)), Use::kNoRoom);
  // Those that were answered are known all the same.
  EXPECT_EQ(spent.Mark("a0", After(120), After(119)), Use::kAgain);
  EXPECT_EQ(spent.Mark("a9", After(120), After(119)), Use::kAgain);
  EXPECT_EQ(spent.Mark("one more", After(240), After(120)), Use::kFirst);
  EXPECT_EQ(spent.Mark("a9", After(240), After(120)), Use::kFirst) << "expired, but kept";
}

}  // namespace
}  // namespace sasld
