#include "server/auth/lane.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "tests/server/auth/busy_thread.h"

namespace sasld {
namespace {

// A lane whose only thread is busy until it is released.
struct BusyLane {
  explicit BusyLane(Lane::Limits limits) : lane(limits), thread(lane) {}
  void Release() { thread.Release(); }
  Lane lane;
  BusyThread thread;
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
  busy.Release();
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

// Runs `jobs` after one another and yields their order; the first letter of each is its source.
std::vector<std::string> OrderOf(const std::vector<std::string>& jobs) {
  BusyLane busy({1, 100, 100});
  std::vector<std::string> order;  // written by the lane's only thread, read after Close()
  for (const std::string& name : jobs) {
    EXPECT_TRUE(busy.lane
                    .Submit(name.substr(0, 1), absl::InfiniteFuture(),
                            [&order, name](Lane::Turn) { order.push_back(name); })
                    .ok());
  }
  absl::Notification last;
  EXPECT_TRUE(
      busy.lane.Submit("last", absl::InfiniteFuture(), [&last](Lane::Turn) { last.Notify(); })
          .ok());
  busy.Release();
  last.WaitForNotification();
  busy.lane.Close();
  return order;
}

TEST(Lane, SourcesTakeTurns) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(OrderOf({"a1", "a2", "a3", "b1", "c1", "c2"}),
            (Names{"a1", "b1", "c1", "a2", "c2", "a3"}));
  EXPECT_EQ(OrderOf({"b1", "a1", "b2"}), (Names{"b1", "a1", "b2"}));
}

TEST(Lane, OneWithMuchWaitingDelaysAnotherByOneJob) {
  std::vector<std::string> jobs;
  for (int i = 0; i < 50; ++i) jobs.push_back("g" + std::to_string(i));
  jobs.push_back("m");
  EXPECT_EQ(OrderOf(jobs)[1], "m");
}

// Else one that comes again after each answer would overtake those that wait.
TEST(Lane, WhoComesAgainBeginsBehindTheOthers) {
  BusyLane busy({1, 10, 10});
  std::vector<std::string> order;
  absl::Notification done;
  const auto note = [&order](const char* name) {
    return [&order, name](Lane::Turn) { order.push_back(name); };
  };
  ASSERT_TRUE(busy.lane
                  .Submit("a", absl::InfiniteFuture(),
                          [&](Lane::Turn) {
                            order.push_back("a1");
                            EXPECT_TRUE(
                                busy.lane.Submit("a", absl::InfiniteFuture(), note("a2")).ok());
                            EXPECT_TRUE(busy.lane
                                            .Submit("z", absl::InfiniteFuture(),
                                                    [&done](Lane::Turn) { done.Notify(); })
                                            .ok());
                          })
                  .ok());
  ASSERT_TRUE(busy.lane.Submit("b", absl::InfiniteFuture(), note("b1")).ok());
  ASSERT_TRUE(busy.lane.Submit("c", absl::InfiniteFuture(), note("c1")).ok());
  busy.Release();
  done.WaitForNotification();
  busy.lane.Close();
  EXPECT_EQ(order, (std::vector<std::string>{"a1", "b1", "c1", "a2"}));
}

TEST(Lane, WhatIsWithdrawnIsNotCalledAndLeavesItsPlace) {
  BusyLane busy({1, 2, 1});
  const auto held = std::make_shared<int>(0);
  bool called = false;
  Lane::Place place;
  const auto submit = [&](const char* source, Lane::Place* its) {
    return busy.lane
        .Submit(
            source, absl::InfiniteFuture(), [&called, held](Lane::Turn) { called = true; }, its)
        .ok();
  };
  ASSERT_TRUE(submit("a", &place));
  EXPECT_FALSE(submit("a", nullptr));
  EXPECT_EQ(held.use_count(), 2);
  EXPECT_TRUE(busy.lane.Withdraw(place));
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(busy.lane.Queued(), 0u);
  EXPECT_FALSE(busy.lane.Withdraw(place));
  ASSERT_TRUE(submit("a", &place));
  EXPECT_TRUE(busy.lane.Withdraw(place));
  busy.Release();
  busy.lane.Close();
  EXPECT_FALSE(called);
}

TEST(Lane, WithdrawingLeavesTheOthersOfItsSource) {
  BusyLane busy({1, 10, 10});
  std::vector<int> order;
  Lane::Place second;
  absl::Notification last;
  for (const int i : {1, 2, 3}) {
    ASSERT_TRUE(busy.lane
                    .Submit(
                        "a", absl::InfiniteFuture(),
                        [&order, &last, i](Lane::Turn) {
                          order.push_back(i);
                          if (i == 3) last.Notify();
                        },
                        i == 2 ? &second : nullptr)
                    .ok());
  }
  EXPECT_TRUE(busy.lane.Withdraw(second));
  busy.Release();
  last.WaitForNotification();
  EXPECT_EQ(order, (std::vector<int>{1, 3}));
}

TEST(Lane, WhatHasBegunOrWaitedTooLongIsNotWithdrawn) {
  Lane::Place begun;
  Lane::Place late;
  absl::Notification running;
  absl::Notification release;
  absl::Notification told;
  Lane lane({1, 10, 10});
  ASSERT_TRUE(lane.Submit(
                      "a", absl::InfiniteFuture(),
                      [&](Lane::Turn) {
                        running.Notify();
                        release.WaitForNotification();
                      },
                      &begun)
                  .ok());
  running.WaitForNotification();
  ASSERT_TRUE(lane.Submit(
                      "a", absl::InfinitePast(),
                      [&](Lane::Turn turn) {
                        EXPECT_EQ(turn, Lane::Turn::kTooLate);
                        told.Notify();
                      },
                      &late)
                  .ok());
  EXPECT_FALSE(lane.Withdraw(begun));
  EXPECT_FALSE(lane.Withdraw(late));
  release.Notify();
  told.WaitForNotification();
}

TEST(Lane, TidiesTwiceAfterTheLastJobAndThenNoMore) {
  absl::BlockingCounter twice(2);  // dies of a third time
  Lane lane({1, 10, 10}, {[&twice] { twice.DecrementCount(); }, absl::Milliseconds(1)});
  ASSERT_TRUE(lane.Submit("a", absl::InfiniteFuture(), [](Lane::Turn) {}).ok());
  twice.Wait();
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
  busy.Release();
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
  absl::BlockingCounter all(3);
  absl::Notification go;
  Lane lane({3, 10, 10});
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
