#include "server/auth/login_counts.h"

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "server/auth/audit.h"
#include "tests/server/auth/busy_thread.h"
#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

size_t IndexOf(std::string_view mechanism) {
  const LoginCounts counts;
  for (size_t index = 0; index < counts.mechanisms(); ++index) {
    if (LoginCounts::MechanismName(index) == mechanism) return index;
  }
  ADD_FAILURE() << mechanism;
  return 0;
}

TEST(LoginCounts, EachReasonHasItsRoom) {
  for (int number = 0; number <= static_cast<int>(kLastReason); ++number) {
    EXPECT_NE(NameOf(static_cast<Reason>(number)), "unknown") << number;
  }
  EXPECT_EQ(NameOf(static_cast<Reason>(static_cast<int>(kLastReason) + 1)), "unknown")
      << "kLastReason is not the last";
}

TEST(LoginCounts, CountsByMechanismAndByReason) {
  LoginCounts counts;
  counts.Granted("PLAIN");
  counts.Granted("PLAIN");
  counts.Granted("SCRAM-SHA-256");
  counts.Refused("PLAIN", Reason::kUnknownUser);
  counts.HeldBack("LOGIN", Reason::kPeerThrottled);
  counts.Undecided("LOGIN", Trouble::kStore);
  counts.Refused("unknown", Reason::kMechanismUnavailable);
  EXPECT_EQ(counts.Of(IndexOf("PLAIN"), LoginResult::kGranted), 2u);
  EXPECT_EQ(counts.Of(IndexOf("PLAIN"), LoginResult::kRefused), 1u);
  EXPECT_EQ(counts.Of(IndexOf("SCRAM-SHA-256"), LoginResult::kGranted), 1u);
  EXPECT_EQ(counts.Of(IndexOf("LOGIN"), LoginResult::kTemporary), 2u);
  EXPECT_EQ(counts.Of(IndexOf("unknown"), LoginResult::kRefused), 1u);
  EXPECT_EQ(counts.Of(Reason::kUnknownUser), 1u);
  EXPECT_EQ(counts.Of(Reason::kPeerThrottled), 1u);
  EXPECT_EQ(counts.Of(Reason::kAccountThrottled), 0u);
  EXPECT_EQ(counts.Of(Trouble::kStore), 1u);
  EXPECT_EQ(counts.Total(LoginResult::kGranted), 3u);
  EXPECT_EQ(counts.Total(LoginResult::kTemporary), 2u);
}

TEST(LoginCounts, TroubleIsToldApartByItsStatus) {
  EXPECT_EQ(TroubleOf(absl::ResourceExhaustedError("")), Trouble::kQueueFull);
  EXPECT_EQ(TroubleOf(absl::DeadlineExceededError("")), Trouble::kTooLate);
  EXPECT_EQ(TroubleOf(absl::UnavailableError("")), Trouble::kStore);
  EXPECT_EQ(TroubleOf(absl::DataLossError("")), Trouble::kStore);
  EXPECT_EQ(TroubleOf(absl::InternalError("")), Trouble::kInternal);
}

TEST(LoginCounts, LearnsFromTheAuditTrailOfRealLogins) {
  Parts parts;
  parts.MustCreate("alice", "secret");
  parts.Step(FirstStep("PLAIN", PlainMessage("", "alice", "secret")));
  parts.Step(FirstStep("PLAIN", PlainMessage("", "alice", "wrong")));
  parts.Step(FirstStep("PLAIN", PlainMessage("", "nobody", "wrong")));
  parts.Step(FirstStep("GSSAPI", "x"));
  parts.store.FailReads(true);
  parts.Step(FirstStep("PLAIN", PlainMessage("", "alice", "secret")));
  const LoginCounts& counts = parts.audit.login_counts();
  EXPECT_EQ(counts.Of(IndexOf("PLAIN"), LoginResult::kGranted), 1u);
  EXPECT_EQ(counts.Of(IndexOf("PLAIN"), LoginResult::kRefused), 2u);
  EXPECT_EQ(counts.Of(Reason::kBadCredentials), 1u);
  EXPECT_EQ(counts.Of(Reason::kUnknownUser), 1u);
  EXPECT_EQ(counts.Of(IndexOf("unknown"), LoginResult::kRefused), 1u);
  EXPECT_EQ(counts.Of(Trouble::kStore), 1u);
  EXPECT_EQ(parts.audit.counts().granted, 1u);
  EXPECT_EQ(parts.audit.counts().refused, 3u);
  EXPECT_EQ(parts.audit.counts().undecided, 1u);
}

// What a password check took, of one after another.
TEST(PasswordChecks, AreCountedByWhatTheyTook) {
  Parts parts({1, 64, 64}, Parts::DefaultPolicy(), {100, absl::Minutes(10)});
  parts.MustCreate("alice", "secret");
  const StepInput right = FirstStep("PLAIN", PlainMessage("", "alice", "secret"));
  for (int i = 0; i < 3; ++i) parts.Step(right);
  parts.Step(FirstStep("PLAIN", PlainMessage("", "nobody", "wrong")));
  EXPECT_EQ(parts.answers.checks().hashed.value(), 2u);
  EXPECT_EQ(parts.answers.checks().remembered.value(), 2u);
  EXPECT_EQ(parts.answers.checks().app_password.value(), 0u);
  EXPECT_EQ(parts.in_flight.joined().value(), 0u);
}

TEST(PasswordChecks, ThoseThatJoinAHashOrFindNoPlaceAreCounted) {
  Parts parts({1, 2, 2});
  parts.MustCreate("alice", "secret");
  BusyThread busy(parts.lane);
  absl::Notification both;
  std::atomic<int> answered = 0;
  const auto begin = [&](std::string_view password) {
    parts.exchange.Step(FirstStep("PLAIN", PlainMessage("", "alice", password)), kNow,
                        [&](StepResult) {
                          if (++answered == 3) both.Notify();
                        });
  };
  begin("wrong");
  begin("wrong");
  begin("wrong too");  // two wait
  EXPECT_EQ(parts.lane.refusals().queue_full.value(), 1u);
  EXPECT_EQ(parts.audit.login_counts().Of(Trouble::kQueueFull), 1u);
  busy.Release();
  both.WaitForNotification();
  EXPECT_EQ(parts.answers.checks().hashed.value(), 1u);
  EXPECT_EQ(parts.in_flight.joined().value(), 1u);
}

TEST(Lane, CountsWhomItRefusesForHisShare) {
  Lane lane({1, 10, 1});
  BusyThread busy(lane);
  EXPECT_TRUE(lane.Submit("greedy", absl::InfiniteFuture(), [](Lane::Turn) {}).ok());
  EXPECT_FALSE(lane.Submit("greedy", absl::InfiniteFuture(), [](Lane::Turn) {}).ok());
  EXPECT_EQ(lane.refusals().source_full.value(), 1u);
  EXPECT_EQ(lane.refusals().queue_full.value(), 0u);
  busy.Release();
  lane.Close();
}

TEST(LastUses, CountsWritesThatFailed) {
  Parts parts;
  parts.MustCreate("alice", "secret");
  parts.Step(FirstStep("PLAIN", PlainMessage("", "alice", "secret")));
  parts.store.FailWrites(true);
  EXPECT_FALSE(parts.last_uses.Flush().ok());
  EXPECT_EQ(parts.last_uses.failures().value(), 1u);
  parts.store.FailWrites(false);
  EXPECT_TRUE(parts.last_uses.Flush().ok());
  EXPECT_EQ(parts.last_uses.failures().value(), 1u);
}

}  // namespace
}  // namespace sasld
