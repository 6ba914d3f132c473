#include "server/auth/answers.h"

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

absl::StatusOr<PasswordVerdict> Check(const Answers& answers, std::string_view name,
                                      std::string_view password) {
  absl::StatusOr<PasswordVerdict> verdict = absl::UnknownError("never answered");
  absl::Notification answered;
  answers.Check({Username::Prepare(name).value(), Secret(password)},
                {"192.0.2.1", absl::InfiniteFuture(), nullptr},
                [&](absl::StatusOr<PasswordVerdict> given) {
                  verdict = std::move(given);
                  answered.Notify();
                });
  answered.WaitForNotification();
  return verdict;
}

ScramUser User(std::string_view name) {
  return {Username::Prepare(name).value(), ScramHash::kSha256};
}

TEST(Answers, PasswordsMatchOrNot) {
  Parts parts;
  parts.MustCreate("ann", "secret");
  EXPECT_EQ(Check(parts.answers, "ann", "secret").value(), PasswordVerdict::kMatch);
  EXPECT_EQ(Check(parts.answers, "ann", "Secret").value(), PasswordVerdict::kNoMatch);
  EXPECT_EQ(Check(parts.answers, "bob", "secret").value(), PasswordVerdict::kNoMatch);
}

TEST(Answers, AnAccountWithoutPasswordVerifierMatchesNothing) {
  Parts parts;
  ASSERT_TRUE(parts.store.Create({Username::Prepare("ann").value(), true, 0, kNow, kNow, {}}).ok());
  EXPECT_EQ(Check(parts.answers, "ann", "x").value(), PasswordVerdict::kNoMatch);
}

TEST(Answers, ABrokenVerifierIsOurFault) {
  Parts parts;
  ASSERT_TRUE(parts.store
                  .Create({Username::Prepare("ann").value(),
                           true,
                           0,
                           kNow,
                           kNow,
                           {"$argon2id$nonsense", std::nullopt}})
                  .ok());
  EXPECT_TRUE(absl::IsDataLoss(Check(parts.answers, "ann", "x").status()));
}

TEST(Answers, KnownUsersGetTheirKeysAndEpoch) {
  Parts parts;
  const Account ann = parts.MustCreate("ann", "secret");
  const absl::StatusOr<ScramKeys> keys = parts.answers.KeysFor(User("ann"));
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(keys->epoch, ann.epoch);
  EXPECT_EQ(keys->salt, ann.credential.scram_sha_256->salt);
}

TEST(Answers, DecoysAreTheSameOnEveryReplicaWithThisKey) {
  Parts one;
  Parts other;
  const ScramKeys a = one.answers.KeysFor(User("nobody")).value();
  const ScramKeys b = other.answers.KeysFor(User("nobody")).value();
  EXPECT_EQ(a.salt, b.salt);
  EXPECT_EQ(a.iterations, b.iterations);
  EXPECT_EQ(a.salt.size(), kScramSaltBytes);
  const Answers elsewhere(one.store, one.hasher, one.lane, Secret("another key"), 4096);
  EXPECT_NE(elsewhere.KeysFor(User("nobody"))->salt, a.salt);
}

TEST(Answers, AStoreThatFailsIsNotAnUnknownUser) {
  Parts parts;
  parts.store.FailReads(true);
  EXPECT_TRUE(absl::IsUnavailable(parts.answers.KeysFor(User("ann")).status()));
  EXPECT_TRUE(absl::IsUnavailable(Check(parts.answers, "ann", "x").status()));
}

}  // namespace
}  // namespace sasld
