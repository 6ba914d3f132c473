#include "server/auth/answers.h"

#include <gtest/gtest.h>

#include <utility>

#include "absl/synchronization/notification.h"
#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

absl::StatusOr<PasswordAnswer> Ask(const Answers& answers, std::string_view name,
                                   std::string_view password) {
  absl::StatusOr<PasswordAnswer> answer = absl::UnknownError("never answered");
  absl::Notification answered;
  answers.Check({Username::Prepare(name).value(), Secret(password)},
                {"192.0.2.1", absl::InfiniteFuture(), nullptr, "smtp", kNow},
                [&](absl::StatusOr<PasswordAnswer> given) {
                  answer = std::move(given);
                  answered.Notify();
                });
  answered.WaitForNotification();
  return answer;
}

absl::StatusOr<PasswordVerdict> Check(const Answers& answers, std::string_view name,
                                      std::string_view password) {
  const absl::StatusOr<PasswordAnswer> answer = Ask(answers, name, password);
  if (!answer.ok()) return answer.status();
  return answer->verdict;
}

ScramUser User(std::string_view name, Hash hash = Hash::kSha256) {
  return {Username::Prepare(name).value(), hash};
}

bool Same(const Secret& a, const Secret& b) { return EqualsConstantTime(a.Reveal(), b.Reveal()); }

Secret Equivalent(const Answers& answers, std::string_view name, PasswordEquivalent kind,
                  std::string_view realm = "") {
  return answers.EquivalentFor({Username::Prepare(name).value(), kind, std::string(realm)})
      .value()
      .equivalent;
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
  Account ann{Username::Prepare("ann").value(), true, 0, kNow, kNow, {}};
  ann.credential.argon2id = "$argon2id$nonsense";
  ASSERT_TRUE(parts.store.Create(ann).ok());
  EXPECT_TRUE(absl::IsDataLoss(Check(parts.answers, "ann", "x").status()));
}

TEST(Answers, KnownUsersGetTheirKeysAndEpoch) {
  Parts parts;
  const Account ann = parts.MustCreate("ann", "secret");
  const absl::StatusOr<ScramAnswer> answer = parts.answers.KeysFor(User("ann"));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->keys.epoch, ann.epoch);
  EXPECT_EQ(answer->keys.salt, ann.credential.scram->salt);
}

TEST(Answers, ToldWithTheKeysIsTheAccount) {
  Parts parts;
  Account ann = parts.MustCreate("ann", "secret");
  EXPECT_TRUE(parts.answers.KeysFor(User("ann"))->account->enabled);
  EXPECT_FALSE(parts.answers.KeysFor(User("nobody"))->account.has_value());
  ann.enabled = false;
  ASSERT_TRUE(parts.store.Update(ann).ok());
  EXPECT_FALSE(parts.answers.KeysFor(User("ann"))->account->enabled);
}

TEST(Answers, DecoysAreTheSameOnEveryReplicaWithThisKey) {
  Parts one;
  Parts other;
  const ScramKeys a = one.answers.KeysFor(User("nobody")).value().keys;
  const ScramKeys b = other.answers.KeysFor(User("nobody")).value().keys;
  EXPECT_EQ(a.salt, b.salt);
  EXPECT_EQ(a.iterations, b.iterations);
  EXPECT_EQ(a.salt.size(), kScramSaltBytes);
  const Answers elsewhere(one.store, one.directory, one.deriver, one.in_flight, one.cache,
                          Secret("another key"), 4096);
  EXPECT_NE(elsewhere.KeysFor(User("nobody"))->keys.salt, a.salt);
}

TEST(Answers, KeysAreThoseOfTheHashAskedFor) {
  Parts parts;
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-1", "SCRAM-SHA-512"}, 5000, ""));
  const Account ann = parts.MustCreate("ann", "secret");
  const ScramVerifiers& scram = *ann.credential.scram;
  for (const Hash hash : kAllHashes) {
    SCOPED_TRACE(NameOf(hash));
    const ScramKeys keys = parts.answers.KeysFor(User("ann", hash)).value().keys;
    // One salt and count for all, so that a challenge does not tell which hashes there are.
    EXPECT_EQ(keys.salt, scram.salt);
    EXPECT_EQ(keys.iterations, 5000u);
    EXPECT_EQ(keys.epoch, ann.epoch);
    EXPECT_EQ(keys.candidates.at(0).pair.stored_key.size(), HashBytes(hash));
    EXPECT_EQ(keys.candidates.at(0).pair.server_key.size(), HashBytes(hash));
    if (const auto pair = scram.keys.find(hash); pair != scram.keys.end()) {
      EXPECT_TRUE(Same(keys.candidates.at(0).pair.stored_key, pair->second.stored_key));
      EXPECT_TRUE(Same(keys.candidates.at(0).pair.server_key, pair->second.server_key));
    } else {
      const ScramKeys unknown = parts.answers.KeysFor(User("ben", hash)).value().keys;
      EXPECT_FALSE(
          Same(keys.candidates.at(0).pair.stored_key, unknown.candidates.at(0).pair.stored_key));
    }
  }
}

TEST(Answers, AnUnknownUserHasOneSaltForAllHashes) {
  Parts parts;
  const ScramKeys first = parts.answers.KeysFor(User("nobody", Hash::kSha1)).value().keys;
  EXPECT_EQ(first.epoch, 0u);
  for (const Hash hash : kAllHashes) {
    const ScramKeys keys = parts.answers.KeysFor(User("nobody", hash)).value().keys;
    EXPECT_EQ(keys.salt, first.salt);
    EXPECT_EQ(keys.iterations, first.iterations);
    EXPECT_EQ(keys.candidates.at(0).pair.stored_key.size(), HashBytes(hash));
    EXPECT_EQ(keys.candidates.at(0).pair.server_key.size(), HashBytes(hash));
    EXPECT_FALSE(
        Same(keys.candidates.at(0).pair.stored_key, keys.candidates.at(0).pair.server_key));
  }
}

TEST(Answers, AKnownUserWithoutScramIsChallengedAsIfUnknown) {
  Parts parts;
  const ScramKeys unknown = parts.answers.KeysFor(User("ann")).value().keys;
  parts.deriver.Adopt({});
  const Account ann = parts.MustCreate("ann", "secret");
  const ScramKeys keys = parts.answers.KeysFor(User("ann")).value().keys;
  EXPECT_EQ(keys.salt, unknown.salt);
  EXPECT_EQ(keys.iterations, unknown.iterations);
  EXPECT_EQ(keys.epoch, ann.epoch);
}

TEST(Answers, PasswordEquivalentsAreTheAccounts) {
  Parts parts;
  parts.deriver.Adopt(DerivationPlan::For({"CRAM-MD5", "DIGEST-MD5"}, 4096, "example.org"));
  const Account ann = parts.MustCreate("ann", "secret");
  EXPECT_TRUE(Same(Equivalent(parts.answers, "ann", PasswordEquivalent::kCramMd5),
                   ann.credential.cram_md5));
  EXPECT_TRUE(Same(Equivalent(parts.answers, "ann", PasswordEquivalent::kDigestMd5, "example.org"),
                   ann.credential.digest_md5->ha1));
}

TEST(Answers, WhoLacksAPasswordEquivalentGetsADecoy) {
  Parts parts;
  parts.deriver.Adopt(DerivationPlan::For({"DIGEST-MD5"}, 4096, "old.example"));
  const Account ann = parts.MustCreate("ann", "secret");
  const auto digest = PasswordEquivalent::kDigestMd5;
  // The realm was changed since the password was set.
  const Secret other_realm = Equivalent(parts.answers, "ann", digest, "new.example");
  EXPECT_EQ(other_realm.size(), ann.credential.digest_md5->ha1.size());
  EXPECT_FALSE(Same(other_realm, ann.credential.digest_md5->ha1));
  for (const char* name : {"ann", "nobody"}) {
    const Secret cram = Equivalent(parts.answers, name, PasswordEquivalent::kCramMd5);
    EXPECT_EQ(cram.size(), 32u);
    EXPECT_TRUE(Same(cram, Equivalent(parts.answers, name, PasswordEquivalent::kCramMd5)));
  }
  EXPECT_FALSE(Same(Equivalent(parts.answers, "nobody", digest, "old.example"),
                    Equivalent(parts.answers, "nobody2", digest, "old.example")));
  // Nor does one decoy tell another.
  EXPECT_NE(Equivalent(parts.answers, "nobody", PasswordEquivalent::kCramMd5)
                .Reveal()
                .substr(0, other_realm.size()),
            Equivalent(parts.answers, "nobody", digest, "old.example").Reveal());
}

TEST(Answers, SayWhatTheyStandOn) {
  Parts parts;
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-256", "CRAM-MD5"}, 4096, ""));
  parts.MustCreate("ann", "secret");
  ASSERT_TRUE(parts.store.Create({User("bare").authcid, true, 0, {}, {}, {}}).ok());
  const auto equivalent = [&](const char* name, PasswordEquivalent kind) {
    return parts.answers.EquivalentFor({User(name).authcid, kind, "example.org"})->basis;
  };
  const std::pair<const char*, Basis> without[] = {{"bare", Basis::kNoVerifier},
                                                   {"nobody", Basis::kNoAccount}};
  for (const auto& [name, basis] : without) {
    EXPECT_EQ(parts.answers.KeysFor(User(name))->basis, basis);
    EXPECT_EQ(Ask(parts.answers, name, "secret")->basis, basis);
    EXPECT_EQ(equivalent(name, PasswordEquivalent::kCramMd5), basis);
    EXPECT_EQ(equivalent(name, PasswordEquivalent::kDigestMd5), basis);
  }
  EXPECT_EQ(parts.answers.KeysFor(User("ann"))->basis, Basis::kVerifier);
  EXPECT_EQ(parts.answers.KeysFor(User("ann", Hash::kSha1))->basis, Basis::kNoVerifier);
  EXPECT_EQ(Ask(parts.answers, "ann", "wrong")->basis, Basis::kVerifier);
  EXPECT_EQ(equivalent("ann", PasswordEquivalent::kCramMd5), Basis::kVerifier);
  EXPECT_EQ(equivalent("ann", PasswordEquivalent::kDigestMd5), Basis::kNoVerifier);
}

TEST(Answers, AStoreThatFailsIsNotAnUnknownUser) {
  Parts parts;
  parts.store.FailReads(true);
  EXPECT_TRUE(absl::IsUnavailable(parts.answers.KeysFor(User("ann")).status()));
  EXPECT_TRUE(absl::IsUnavailable(Check(parts.answers, "ann", "x").status()));
  const EquivalentOf question{User("ann").authcid, PasswordEquivalent::kCramMd5, ""};
  EXPECT_TRUE(absl::IsUnavailable(parts.answers.EquivalentFor(question).status()));
}

}  // namespace
}  // namespace sasld
