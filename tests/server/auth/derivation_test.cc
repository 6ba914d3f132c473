#include "server/auth/derivation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/sasl/password_equivalents.h"
#include "server/sasl/registry.h"
#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAreArray;

bool Same(const Secret& a, const Secret& b) { return EqualsConstantTime(a.Reveal(), b.Reveal()); }

TEST(DerivationPlan, HoldsWhatTheMechanismsNeed) {
  const DerivationPlan plan = DerivationPlan::For(
      {"SCRAM-SHA-512", "SCRAM-SHA-1-PLUS", "PLAIN", "CRAM-MD5"}, 5000, "example.org");
  EXPECT_THAT(plan.scram_hashes, ElementsAre(Hash::kSha512, Hash::kSha1));
  EXPECT_EQ(plan.scram_iterations, 5000u);
  EXPECT_TRUE(plan.cram_md5);
  EXPECT_FALSE(plan.digest_md5);
  EXPECT_EQ(plan.realm, "example.org");
}

TEST(DerivationPlan, PlusSharesItsKeys) {
  const DerivationPlan plan =
      DerivationPlan::For({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}, 4096, "");
  EXPECT_THAT(plan.scram_hashes, ElementsAre(Hash::kSha256));
}

TEST(DerivationPlan, NothingIsPlannedForMechanismsThatKeepNothing) {
  const DerivationPlan plan =
      DerivationPlan::For({"PLAIN", "LOGIN", "EXTERNAL", "ANONYMOUS", "NONSENSE", ""}, 4096, "r");
  EXPECT_TRUE(plan.scram_hashes.empty());
  EXPECT_FALSE(plan.cram_md5);
  EXPECT_FALSE(plan.digest_md5);
}

TEST(DerivationPlan, AllMechanismsPlanAllHashesOnce) {
  std::vector<std::string> names;
  for (const RegisteredMechanism& mechanism : AllMechanisms()) names.emplace_back(mechanism.name);
  const DerivationPlan plan = DerivationPlan::For(names, 4096, "r");
  EXPECT_THAT(plan.scram_hashes, UnorderedElementsAreArray(kAllHashes));
  EXPECT_TRUE(plan.cram_md5);
  EXPECT_TRUE(plan.digest_md5);
}

struct Hashing {
  Credential Derive(const DerivationPlan& plan, std::string_view name, std::string_view password) {
    return Deriver(hasher, entropy, plan)
        .Derive(Username::Prepare(name).value(), Secret(password))
        .value();
  }
  Entropy entropy;
  PasswordHasher hasher{kCheapCost, Secret("pepper")};
};

TEST(DeriveCredential, EachVerifierIsRight) {
  Hashing deriver;
  DerivationPlan plan;
  plan.scram_hashes.assign(kAllHashes.begin(), kAllHashes.end());
  plan.scram_iterations = 4097;
  plan.cram_md5 = plan.digest_md5 = true;
  plan.realm = "example.org";
  const Credential credential = deriver.Derive(plan, "Ann", "pencil");

  EXPECT_TRUE(deriver.hasher.Verify(credential, Secret("pencil")).value());
  EXPECT_FALSE(deriver.hasher.Verify(credential, Secret("Pencil")).value());
  ASSERT_TRUE(credential.scram.has_value());
  const ScramVerifiers& scram = *credential.scram;
  EXPECT_EQ(scram.salt.size(), kScramSaltBytes);
  EXPECT_EQ(scram.iterations, 4097u);
  EXPECT_EQ(scram.keys.size(), kAllHashes.size());
  for (const auto& [hash, pair] : scram.keys) {
    SCOPED_TRACE(NameOf(hash));
    // RFC 5802 s.3, step by step.
    const Secret salted = Pbkdf2(hash, "pencil", scram.salt, 4097);
    const Secret client_key = Hmac(hash, salted.Reveal(), "Client Key");
    EXPECT_TRUE(Same(pair.stored_key, Digest(hash, client_key.Reveal())));
    EXPECT_TRUE(Same(pair.server_key, Hmac(hash, salted.Reveal(), "Server Key")));
  }
  EXPECT_TRUE(Same(credential.cram_md5, CramMd5States(Secret("pencil"))));
  ASSERT_TRUE(credential.digest_md5.has_value());
  EXPECT_EQ(credential.digest_md5->realm, "example.org");
  // The name as the account has it.
  EXPECT_TRUE(Same(credential.digest_md5->ha1, Md5("ann:example.org:pencil")));
}

TEST(DeriveCredential, KeepsNothingThatWasNotPlanned) {
  Hashing deriver;
  const Credential credential = deriver.Derive({}, "ann", "pencil");
  EXPECT_FALSE(credential.argon2id.empty());
  EXPECT_FALSE(credential.scram.has_value());
  EXPECT_TRUE(credential.cram_md5.empty());
  EXPECT_FALSE(credential.digest_md5.has_value());
  DerivationPlan one;
  one.scram_hashes = {Hash::kSha384};
  const Credential scram = deriver.Derive(one, "ann", "pencil");
  EXPECT_EQ(scram.scram->keys.size(), 1u);
  EXPECT_TRUE(scram.scram->keys.contains(Hash::kSha384));
}

TEST(DeriveCredential, SaltsAreFreshEachTime) {
  Hashing deriver;
  DerivationPlan plan;
  plan.scram_hashes = {Hash::kSha256};
  const Credential one = deriver.Derive(plan, "ann", "pencil");
  const Credential two = deriver.Derive(plan, "ann", "pencil");
  EXPECT_NE(one.argon2id, two.argon2id);
  EXPECT_NE(one.scram->salt, two.scram->salt);
  EXPECT_EQ(one.argon2id.find(one.scram->salt), std::string::npos);
}

TEST(Accounts, PasswordsAreSetByThePlanThatWasAdoptedLast) {
  Parts parts;
  parts.MustCreate("ann", "secret");
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-1", "CRAM-MD5", "DIGEST-MD5"}, 4098, "r"));
  // Not before the password is set again.
  EXPECT_TRUE(parts.accounts.Get("ann")->credential.scram->keys.contains(Hash::kSha256));
  EXPECT_TRUE(parts.accounts.SetEnabled("ann", true)->credential.cram_md5.empty());
  const Credential credential = parts.accounts.SetPassword("ann", "x", kNow)->credential.Clone();
  EXPECT_EQ(credential.scram->iterations, 4098u);
  EXPECT_TRUE(credential.scram->keys.contains(Hash::kSha1));
  EXPECT_FALSE(credential.scram->keys.contains(Hash::kSha256));
  EXPECT_FALSE(credential.cram_md5.empty());
  EXPECT_EQ(credential.digest_md5->realm, "r");
  parts.deriver.Adopt({});
  const Account ann = parts.accounts.SetPassword("ann", "y", kNow).value();
  EXPECT_FALSE(ann.credential.scram.has_value());
  EXPECT_TRUE(ann.credential.cram_md5.empty());
  EXPECT_FALSE(ann.credential.digest_md5.has_value());
}

}  // namespace
}  // namespace sasld
