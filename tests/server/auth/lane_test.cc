#include "server/auth/lane.h"

#include <gtest/gtest.h>

#include <atomic>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace sasld {
namespace {

// A lane whose only thread is busy until it is released.
struct BusyLane {
  explicit BusyLane(Lane::Limits limits) : lane(limits) {
    EXPECT_TRUE(lane.Submit("busy", absl::InfiniteFuture(),
                            [this](Lane::Turn) {
                              running.Notify();
                              release.WaitForNotification();
                            })
                    .ok());
    running.WaitForNotification();
  }
  ~BusyLane() {
    if (!release.HasBeenNotified()) release.Notify();
  }
  absl::Notification running;
  absl::Notification release;
  Lane lane;
};

TEST(Lane, RefusesWhenFull) {
  BusyLane busy({1, 3, 3});
  std::atomic<int> ran = 0;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(
        busy.lane.Submit(std::to_string(i), absl::InfiniteFuture(), [&](Lane::Turn) { ++ran; })
            .ok());
  }
  EXPECT_EQ(busy.lane.Queued(), 3u);
  bool called = false;
  EXPECT_TRUE(absl::IsResourceExhausted(
      busy.lane.Submit("more", absl::InfiniteFuture(), [&](Lane::Turn) { called = true; })));
  busy.release.Notify();
  busy.lane.Close();
  EXPECT_EQ(ran.load(), 3);
  EXPECT_FALSE(called);
}

TEST(Lane, OneSourceCannotFillIt) {
  BusyLane busy({1, 10, 2});
  const auto submit = [&](std::string_view source) {
    return busy.lane.Submit(source, absl::InfiniteFuture(), [](Lane::Turn) {}).ok();
  };
  EXPECT_TRUE(submit("greedy"));
  EXPECT_TRUE(submit("greedy"));
  EXPECT_FALSE(submit("greedy"));
  EXPECT_TRUE(submit("modest"));
}

TEST(Lane, ASourceMayComeAgainOnceItWasServed) {
  Lane lane({1, 10, 1});
  for (int i = 0; i < 5; ++i) {
    absl::Notification done;
    ASSERT_TRUE(lane.Submit("s", absl::InfiniteFuture(), [&](Lane::Turn) { done.Notify(); }).ok());
    done.WaitForNotification();
  }
}

TEST(Lane, WhatWaitedTooLongIsNotBegun) {
  BusyLane busy({1, 3, 3});
  std::atomic<int> too_late = 0;
  absl::Notification done;
  ASSERT_TRUE(busy.lane
                  .Submit("a", absl::Now() - absl::Seconds(1),
                          [&](Lane::Turn turn) {
                            if (turn == Lane::Turn::kTooLate) ++too_late;
                            done.Notify();
                          })
                  .ok());
  busy.release.Notify();
  done.WaitForNotification();
  EXPECT_EQ(too_late.load(), 1);
}

TEST(Lane, ClosingCallsWhatWaits) {
  std::atomic<int> called = 0;
  {
    Lane lane({2, 100, 100});
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(lane.Submit("s", absl::InfiniteFuture(), [&](Lane::Turn) { ++called; }).ok());
    }
  }
  EXPECT_EQ(called.load(), 100);
}

TEST(Lane, RefusesOnceClosed) {
  Lane lane({1, 3, 3});
  lane.Close();
  EXPECT_FALSE(lane.Submit("s", absl::InfiniteFuture(), [](Lane::Turn) {}).ok());
}

TEST(Lane, UsesAllItsThreads) {
  Lane lane({3, 10, 10});
  absl::BlockingCounter all(3);
  absl::Notification go;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(lane.Submit("s", absl::InfiniteFuture(),
                            [&](Lane::Turn) {
                              all.DecrementCount();
                              go.WaitForNotification();
                            })
                    .ok());
  }
  all.Wait();
  go.Notify();
}

}  // namespace
}  // namespace sasld
