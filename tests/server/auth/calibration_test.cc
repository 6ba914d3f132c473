#include "server/auth/calibration.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "absl/synchronization/notification.h"
#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

constexpr size_t kMib = size_t{1} << 20;

using Costs = std::vector<Argon2idCost>;

TEST(CostsToMeasure, AreNoneBelowTheLeast) {
  EXPECT_TRUE(CostsToMeasure(19 * kMib - 1).empty());
  EXPECT_EQ(CostsToMeasure(19 * kMib).front(), (Argon2idCost{19 * 1024, 2, 1}));
}

TEST(CostsToMeasure, TakeMoreMemoryBeforeMorePasses) {
  const Costs little = CostsToMeasure(24 * kMib);
  EXPECT_EQ(Costs(little.begin(), little.begin() + 3),
            (Costs{{19 * 1024, 2, 1}, {24 * 1024, 2, 1}, {24 * 1024, 3, 1}}));
  EXPECT_EQ(little.back(), (Argon2idCost{24 * 1024, 10, 1}));
  const Costs much = CostsToMeasure(100 * kMib);
  EXPECT_EQ(Costs(much.begin(), much.begin() + 5), (Costs{{19 * 1024, 2, 1},
                                                          {46 * 1024, 1, 1},
                                                          {64 * 1024, 1, 1},
                                                          {96 * 1024, 1, 1},
                                                          {96 * 1024, 2, 1}}));
}

// OWASP's list: 46 MiB in one pass, 19 MiB in two.
TEST(CostsToMeasure, AreAllSafe) {
  for (size_t memory = 1; memory < 5000; memory += 7) {
    for (const Argon2idCost& cost : CostsToMeasure(memory * kMib)) {
      EXPECT_LE(cost.memory_kib, memory * 1024);
      EXPECT_EQ(cost.parallelism, 1u);
      EXPECT_GE(cost.memory_kib, cost.iterations == 1 ? 46u * 1024 : 19u * 1024);
    }
  }
}

// Hashes that take longer from one to the next, by the clock.
class CalibrationTest : public testing::Test {
 protected:
  static bool Stays() { return false; }
  absl::Time Clock() { return now += absl::Milliseconds(++calls); }

  Parts parts;
  int calls = 0;
  absl::Time now = kNow;
  Calibration calibration{parts.hasher, parts.lane, {64 * kMib, 3}, [this] { return Clock(); }};
};

TEST_F(CalibrationTest, ProposesTheDearestWithinTheTarget) {
  // Five hashes of three readings each, and two readings between one cost and the next.
  const CalibrationResult result =
      calibration.Run({absl::Milliseconds(40), 24 * kMib}, Stays).value();
  ASSERT_EQ(result.measured.size(), 3u);
  for (size_t i = 0; i < 2; ++i) EXPECT_LE(result.measured[i].median, absl::Milliseconds(40));
  EXPECT_GT(result.measured[2].median, absl::Milliseconds(40));
  EXPECT_EQ(result.proposed, 1u);
  EXPECT_EQ(result.measured[1].cost, (Argon2idCost{24 * 1024, 2, 1}));
  // As many as fit into 64 MiB.
  EXPECT_EQ(result.measured[0].threads, 3u);
  EXPECT_EQ(result.measured[1].threads, 2u);
  EXPECT_NEAR(result.measured[1].hashes_per_second,
              2 / absl::ToDoubleSeconds(result.measured[1].median), 1e-6);
}

TEST_F(CalibrationTest, ProposesTheLeastIfNothingIsQuickEnough) {
  calls = 50;
  const CalibrationResult result = calibration.Run({absl::Milliseconds(1)}, Stays).value();
  ASSERT_EQ(result.measured.size(), 1u);
  EXPECT_EQ(result.proposed, 0u);
  EXPECT_EQ(result.measured[0].cost, (Argon2idCost{19 * 1024, 2, 1}));
}

// The first hash takes a second, as if something else had the processor.
TEST_F(CalibrationTest, OneSlowHashDecidesNothing) {
  int readings = 0;
  Calibration with_accident(parts.hasher, parts.lane, {64 * kMib, 3}, [&] {
    if (++readings == 3) return now += absl::Seconds(1);
    return now += absl::Milliseconds(readings < 20 ? 10 : 11);
  });
  const CalibrationResult result =
      with_accident.Run({absl::Milliseconds(10), 24 * kMib}, Stays).value();
  ASSERT_EQ(result.measured.size(), 2u);
  EXPECT_EQ(result.measured[0].median, absl::Milliseconds(10));
}

TEST_F(CalibrationTest, NeverTakesLong) {
  calls = 600;
  const CalibrationResult result = calibration.Run({absl::Seconds(1)}, Stays).value();
  EXPECT_EQ(result.measured.size(), 1u);
  EXPECT_LT(now - kNow, absl::Seconds(12));
}

TEST_F(CalibrationTest, LeavesEachThreadItsShareUnlessToldOtherwise) {
  // 21 MiB for each of three.
  const CalibrationResult result = calibration.Run({absl::Milliseconds(30)}, Stays).value();
  EXPECT_EQ(result.measured[1].cost, (Argon2idCost{19 * 1024, 3, 1}));
}

TEST_F(CalibrationTest, RefusesWhatItCannotDo) {
  const auto refusal = [this](absl::Duration target, size_t memory) {
    return calibration.Run({target, memory}, Stays).status();
  };
  EXPECT_TRUE(absl::IsInvalidArgument(refusal(absl::ZeroDuration(), 0)));
  EXPECT_TRUE(absl::IsInvalidArgument(refusal(absl::Milliseconds(1001), 0)));
  EXPECT_TRUE(absl::IsInvalidArgument(refusal(absl::Milliseconds(50), 18 * kMib)));
  EXPECT_TRUE(absl::IsInvalidArgument(refusal(absl::Milliseconds(50), 65 * kMib)));
  EXPECT_EQ(parts.lane.Queued(), 0u);
}

TEST_F(CalibrationTest, OneAtATime) {
  absl::Status second;
  const auto first = calibration.Run({absl::Milliseconds(1)}, [&] {
    second = calibration.Run({absl::Milliseconds(1)}, Stays).status();
    return false;
  });
  EXPECT_TRUE(first.ok());
  EXPECT_TRUE(absl::IsResourceExhausted(second));
  EXPECT_TRUE(calibration.Run({absl::Milliseconds(1)}, Stays).ok());
}

TEST_F(CalibrationTest, EndsWhenNobodyWaitsOrTheLaneCloses) {
  int asked = 0;
  const auto leaves = [&asked] { return ++asked == 3; };
  EXPECT_TRUE(absl::IsCancelled(calibration.Run({absl::Milliseconds(900)}, leaves).status()));
  EXPECT_EQ(asked, 3);
  parts.lane.Close();
  EXPECT_FALSE(calibration.Run({absl::Milliseconds(50)}, Stays).ok());
}

// A login that comes meanwhile waits for one hash at most.
TEST_F(CalibrationTest, HashesInTurnWithLogins) {
  std::atomic<int> logins = 0;
  int asked = 0;
  const auto a_login_comes = [&] {
    EXPECT_EQ(logins, asked++);
    EXPECT_TRUE(
        parts.lane.Submit("a", absl::InfiniteFuture(), [&logins](Lane::Turn) { ++logins; }).ok());
    return false;
  };
  ASSERT_TRUE(calibration.Run({absl::Milliseconds(30)}, a_login_comes).ok());
  parts.lane.Close();
}

}  // namespace
}  // namespace sasld
