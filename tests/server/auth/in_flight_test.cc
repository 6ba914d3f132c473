#include "server/auth/in_flight.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "tests/server/auth/busy_thread.h"
#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

PasswordClaim Claim(std::string_view name, std::string_view password) {
  return {Username::Prepare(name).value(), Secret(password)};
}

// A lane whose first thread is busy until Release(). Answers by the order in which they came.
class InFlightTest : public testing::Test {
 protected:
  explicit InFlightTest(Lane::Limits limits = {1, 8, 4}) : lane(limits), busy(lane) {}
  ~InFlightTest() override {
    Release();
    lane.Close();
  }
  void Release() { busy.Release(); }

  // What one who asks is told, once.
  struct Asked {
    absl::Notification told;
    absl::StatusOr<PasswordAnswer> answer = absl::UnknownError("never answered");
    PasswordVerdict Verdict() {
      told.WaitForNotification();
      return answer.value().verdict;
    }
    absl::Status Status() {
      told.WaitForNotification();
      return answer.status();
    }
  };
  struct Question {
    std::string password = "secret";
    std::string source = "a";
    absl::Time deadline = absl::InfiniteFuture();
    std::shared_ptr<const std::atomic<bool>> gone = nullptr;
    std::string service = "smtp";
    uint64_t epoch = 7;
  };
  std::unique_ptr<Asked> Ask(const Question& question, InFlight::Hashing hashing = nullptr) {
    auto asked = std::make_unique<Asked>();
    if (!hashing) hashing = [this] { return Hash(); };
    in_flight.Check(
        in_flight.KeyOf(Claim("ann", question.password), question.service, question.epoch),
        {question.source, question.deadline, question.gone, question.service, kNow},
        std::move(hashing), [its = asked.get()](absl::StatusOr<PasswordAnswer> answer) {
          its->answer = std::move(answer);
          its->told.Notify();  // dies of a second time
        });
    return asked;
  }
  absl::StatusOr<PasswordAnswer> Hash() {
    ++hashes;
    return PasswordAnswer{verdict, Basis::kVerifier};
  }
  // Returns once the hash for it runs, which ends after `go_on`.
  std::unique_ptr<Asked> AskAndBeginToHash(absl::Notification& go_on) {
    absl::Notification hashing;
    auto asked = Ask({}, [&] {
      hashing.Notify();
      go_on.WaitForNotification();
      return Hash();
    });
    Release();
    hashing.WaitForNotification();
    return asked;
  }
  // Waits until all that came before has been served.
  void Settle() {
    Release();
    absl::Notification last;
    ASSERT_TRUE(
        lane.Submit("settle", absl::InfiniteFuture(), [&last](Lane::Turn) { last.Notify(); }).ok());
    last.WaitForNotification();
  }

  std::atomic<int> hashes = 0;
  PasswordVerdict verdict = PasswordVerdict::kMatch;
  Lane lane;
  BusyThread busy;
  InFlight in_flight{lane, Secret(std::string(32, 'k'))};
};

TEST_F(InFlightTest, WhatWaitsTogetherIsHashedOnce) {
  const auto one = Ask({});
  const auto same = Ask({});
  const auto from_elsewhere = Ask({.source = "b"});
  Release();
  EXPECT_EQ(one->Verdict(), PasswordVerdict::kMatch);
  EXPECT_EQ(same->Verdict(), PasswordVerdict::kMatch);
  EXPECT_EQ(from_elsewhere->Verdict(), PasswordVerdict::kMatch);
  EXPECT_EQ(hashes, 1);
  EXPECT_EQ(in_flight.size(), 0u);
}

TEST_F(InFlightTest, AWrongPasswordTooIsHashedOnce) {
  verdict = PasswordVerdict::kNoMatch;
  const auto one = Ask({});
  const auto same = Ask({});
  Release();
  EXPECT_EQ(one->Verdict(), PasswordVerdict::kNoMatch);
  EXPECT_EQ(same->Verdict(), PasswordVerdict::kNoMatch);
  EXPECT_EQ(hashes, 1);
}

TEST_F(InFlightTest, WhatDiffersIsHashedApart) {
  const std::unique_ptr<Asked> all[] = {Ask({}), Ask({.password = "Secret", .source = "b"}),
                                        Ask({.source = "c", .service = "imap"}),
                                        Ask({.source = "d", .epoch = 8})};
  Release();
  for (const auto& asked : all) EXPECT_EQ(asked->Verdict(), PasswordVerdict::kMatch);
  EXPECT_EQ(hashes, 4);
}

TEST_F(InFlightTest, JoinsTheHashThatRuns) {
  absl::Notification go_on;
  const auto first = AskAndBeginToHash(go_on);
  const auto joined = Ask({.source = "b"});
  EXPECT_EQ(lane.Queued(), 0u);
  EXPECT_FALSE(joined->told.HasBeenNotified());
  go_on.Notify();
  EXPECT_EQ(first->Verdict(), PasswordVerdict::kMatch);
  EXPECT_EQ(joined->Verdict(), PasswordVerdict::kMatch);
  EXPECT_EQ(hashes, 1);
  // What comes after it is hashed again: the account may have changed.
  EXPECT_EQ(Ask({})->Verdict(), PasswordVerdict::kMatch);
  EXPECT_EQ(hashes, 2);
}

TEST_F(InFlightTest, AnErrorIsSharedToo) {
  const auto fails = [this]() -> absl::StatusOr<PasswordAnswer> {
    ++hashes;
    return absl::UnavailableError("the disk is on strike");
  };
  const auto one = Ask({}, fails);
  const auto other = Ask({}, fails);
  Release();
  EXPECT_TRUE(absl::IsUnavailable(one->Status()));
  EXPECT_TRUE(absl::IsUnavailable(other->Status()));
  EXPECT_EQ(hashes, 1);
}

TEST_F(InFlightTest, WhoIsTooLateHarmsNobody) {
  const auto late = Ask({.deadline = absl::InfinitePast()});
  const auto patient = Ask({});
  const auto late_too = Ask({.source = "b", .deadline = absl::InfinitePast()});
  Release();
  EXPECT_TRUE(absl::IsDeadlineExceeded(late->Status()));
  EXPECT_EQ(patient->Verdict(), PasswordVerdict::kMatch);
  EXPECT_TRUE(absl::IsDeadlineExceeded(late_too->Status()));
  EXPECT_EQ(hashes, 1);
  Settle();
  EXPECT_EQ(in_flight.size(), 0u);
}

TEST_F(InFlightTest, WhoGoesAwayHarmsNobody) {
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  const auto first = Ask({.gone = gone});
  const auto stays = Ask({});
  const auto last = Ask({.source = "b", .gone = gone});
  *gone = true;
  Release();
  EXPECT_TRUE(absl::IsDeadlineExceeded(first->Status()));
  EXPECT_EQ(stays->Verdict(), PasswordVerdict::kMatch);
  EXPECT_TRUE(absl::IsDeadlineExceeded(last->Status()));
  EXPECT_EQ(hashes, 1);
}

TEST_F(InFlightTest, NobodyIsHashedForIfAllHaveGone) {
  const auto gone = std::make_shared<const std::atomic<bool>>(true);
  const auto one = Ask({.gone = gone});
  const auto other = Ask({.deadline = absl::InfinitePast()});
  Release();
  EXPECT_FALSE(one->Status().ok());
  EXPECT_FALSE(other->Status().ok());
  EXPECT_EQ(hashes, 0);
}

// One source has much waiting, and what another asks for at its end.
TEST_F(InFlightTest, TheEarliestTurnCountsForAll) {
  std::vector<std::string> order;
  const auto noting = [&](const std::string& what) {
    return [this, &order, what] {
      order.push_back(what);
      return Hash();
    };
  };
  const auto a1 = Ask({.password = "1"}, noting("a1"));
  const auto a2 = Ask({.password = "2"}, noting("a2"));
  const auto a3 = Ask({.password = "3"}, noting("a3"));
  const auto b3 = Ask({.password = "3", .source = "b"}, noting("b3"));
  Release();
  for (Asked* asked : {a1.get(), a2.get(), a3.get(), b3.get()}) asked->Verdict();
  EXPECT_EQ(order, (std::vector<std::string>{"a1", "b3", "a2"}));
}

TEST_F(InFlightTest, EachCountsInTheLanesBounds) {
  std::vector<std::unique_ptr<Asked>> all;
  for (int i = 0; i < 4; ++i) all.push_back(Ask({}));
  const auto one_more = Ask({});
  ASSERT_TRUE(one_more->told.HasBeenNotified());  // in place
  EXPECT_TRUE(absl::IsResourceExhausted(one_more->Status()));
  for (int i = 0; i < 4; ++i) all.push_back(Ask({.source = "b"}));
  const auto too_many = Ask({.source = "c"});
  ASSERT_TRUE(too_many->told.HasBeenNotified());
  EXPECT_TRUE(absl::IsResourceExhausted(too_many->Status()));
  Release();
  for (const auto& asked : all) EXPECT_EQ(asked->Verdict(), PasswordVerdict::kMatch);
}

// The refused must not leave anything that others join.
TEST_F(InFlightTest, TheRefusedLeavesNothing) {
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(lane.Submit(std::to_string(i), absl::InfiniteFuture(), [](Lane::Turn) {}).ok());
  }
  EXPECT_TRUE(absl::IsResourceExhausted(Ask({})->Status()));
  EXPECT_EQ(in_flight.size(), 0u);
}

TEST_F(InFlightTest, JoiningTheHashThatRunsIsBoundedToo) {
  absl::Notification go_on;
  const auto first = AskAndBeginToHash(go_on);
  std::vector<std::unique_ptr<Asked>> all;
  for (int i = 0; i < 4; ++i) all.push_back(Ask({.source = std::to_string(i)}));
  EXPECT_EQ(lane.Queued(), 0u);
  for (int i = 0; i < 2; ++i) all.push_back(Ask({.source = std::to_string(i)}));
  EXPECT_EQ(lane.Queued(), 2u);
  go_on.Notify();
  for (const auto& asked : all) EXPECT_EQ(asked->Verdict(), PasswordVerdict::kMatch);
  EXPECT_EQ(hashes, 2);  // the two that had no room together
}

TEST_F(InFlightTest, ClosingTheLaneAnswersAll) {
  const auto one = Ask({});
  const auto other = Ask({.source = "b"});
  std::thread closer([this] { lane.Close(); });
  Release();
  closer.join();
  EXPECT_TRUE(one->told.HasBeenNotified());
  EXPECT_TRUE(other->told.HasBeenNotified());
}

class BusyInFlightTest : public InFlightTest {
 protected:
  BusyInFlightTest() : InFlightTest({4, 100'000, 100'000}) {}
};

// For the thread sanitizer, and that nobody is forgotten.
TEST_F(BusyInFlightTest, EverybodyIsAnsweredOnce) {
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  absl::BlockingCounter answers(kThreads * kEach);
  Release();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const auto gone = std::make_shared<const std::atomic<bool>>(i % 7 == 0);
        const std::string password = std::to_string(i % 3);
        in_flight.Check(
            in_flight.KeyOf(Claim("ann", password), "smtp", 7),
            {std::to_string(t), i % 11 == 0 ? absl::InfinitePast() : absl::Now(), gone, "smtp",
             kNow},
            [this] { return Hash(); },
            [&answers](absl::StatusOr<PasswordAnswer>) { answers.DecrementCount(); });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  answers.Wait();
  EXPECT_LE(hashes, kThreads * kEach);
  EXPECT_EQ(in_flight.size(), 0u);
}

}  // namespace
}  // namespace sasld
