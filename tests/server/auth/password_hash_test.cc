#include "server/auth/password_hash.h"

#include <argon2.h>
#include <gtest/gtest.h>

#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

const std::string kSalt = "0123456789abcdef";

Credential Of(Argon2idVerifier verifier) {
  Credential credential;
  credential.argon2id = std::move(verifier.phc);
  credential.pepper_id = verifier.pepper_id;
  return credential;
}

Credential OfPhc(std::string_view phc) { return Of({std::string(phc), 1}); }

std::map<uint32_t, Secret> Peppers(std::initializer_list<uint32_t> ids) {
  std::map<uint32_t, Secret> peppers;
  for (const uint32_t id : ids) peppers.emplace(id, Secret("pepper " + std::to_string(id)));
  return peppers;
}

TEST(PasswordHasher, VerifiesWhatItHashed) {
  const PasswordHasher hasher(kCheapCost, Secret("pepper"));
  const Credential made = Of(hasher.Hash(Secret("secret"), kSalt).value());
  EXPECT_TRUE(made.argon2id.starts_with("$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"))
      << made.argon2id;
  EXPECT_EQ(made.pepper_id, 1u);
  EXPECT_TRUE(hasher.Verify(made, Secret("secret")).value());
  EXPECT_FALSE(hasher.Verify(made, Secret("Secret")).value());
  EXPECT_TRUE(hasher.VerifyDecoy(Secret("secret")).ok());
}

// A stolen database alone allows no guessing.
TEST(PasswordHasher, WithoutThePepperNothingMatches) {
  const PasswordHasher hasher(kCheapCost, Secret("pepper"));
  const Credential made = Of(hasher.Hash(Secret("secret"), kSalt).value());
  EXPECT_FALSE(PasswordHasher(kCheapCost, Secret("other")).Verify(made, Secret("secret")).value());
  EXPECT_EQ(argon2id_verify(made.argon2id.c_str(), "secret", 6), ARGON2_VERIFY_MISMATCH);
}

// Without a pepper it is the Argon2id of everybody else.
TEST(PasswordHasher, AgreesWithTheReferenceLibrary) {
  const PasswordHasher plain(kCheapCost, Secret());
  char encoded[200];
  ASSERT_EQ(argon2id_hash_encoded(1, 64, 1, "secret", 6, kSalt.data(), kSalt.size(), 32, encoded,
                                  sizeof encoded),
            ARGON2_OK);
  EXPECT_EQ(plain.Hash(Secret("secret"), kSalt)->phc, encoded);
  EXPECT_TRUE(plain.Verify(OfPhc(encoded), Secret("secret")).value());
}

TEST(PasswordHasher, OldCostsGoOnWorking) {
  const PasswordHasher old_hasher({128, 2, 2}, Secret("p"));
  const Credential made = Of(old_hasher.Hash(Secret("x"), kSalt).value());
  const PasswordHasher hasher(kCheapCost, Secret("p"));
  EXPECT_TRUE(hasher.Verify(made, Secret("x")).value());
  EXPECT_TRUE(old_hasher.IsUpToDate(made));
  EXPECT_FALSE(hasher.IsUpToDate(made));
}

// A new key: old hashes go on working, are not up to date, and new ones are made with it.
TEST(PasswordHasher, HashesWithTheNewestPepperAndKnowsTheOthers) {
  PasswordHasher hasher(kCheapCost, Peppers({1, 3}));
  const Credential old = Of(hasher.Hash(Secret("x"), kSalt).value());
  EXPECT_EQ(old.pepper_id, 3u);
  hasher.Adopt(Peppers({3, 4}));
  const Credential made = Of(hasher.Hash(Secret("x"), kSalt).value());
  EXPECT_EQ(made.pepper_id, 4u);
  EXPECT_NE(made.argon2id, old.argon2id);
  EXPECT_TRUE(hasher.IsUpToDate(made));
  EXPECT_FALSE(hasher.IsUpToDate(old));
  EXPECT_TRUE(hasher.Verify(old, Secret("x")).value());
  EXPECT_TRUE(hasher.Verify(made, Secret("x")).value());
}

TEST(PasswordHasher, AKeyMayGoOnceItsPepperIsCarried) {
  PasswordHasher hasher(kCheapCost, Peppers({1}));
  Credential old = Of(hasher.Hash(Secret("x"), kSalt).value());
  hasher.CarryPepper(old);
  EXPECT_TRUE(old.pepper.empty()) << "the current one need not be carried";
  hasher.Adopt(Peppers({1, 2}));
  Credential left_behind = old.Clone();
  hasher.CarryPepper(old);
  hasher.Adopt(Peppers({2}));
  EXPECT_TRUE(hasher.Verify(old, Secret("x")).value());
  EXPECT_FALSE(hasher.Verify(old, Secret("y")).value());
  EXPECT_FALSE(hasher.IsUpToDate(old));
  const absl::Status status = hasher.Verify(left_behind, Secret("x")).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.message().find("key 1"), std::string::npos) << status;
}

// Such as one that was imported, or made before memory_mib was lowered.
TEST(PasswordHasher, AHashBeyondTheMemoryIsTemporary) {
  const Credential made =
      Of(PasswordHasher({2048, 1, 1}, Secret("p")).Hash(Secret("x"), kSalt).value());
  EXPECT_TRUE(
      PasswordHasher(kCheapCost, Secret("p"), 2048 * 1024).Verify(made, Secret("x")).value());
  EXPECT_TRUE(absl::IsResourceExhausted(
      PasswordHasher(kCheapCost, Secret("p"), 2047 * 1024).Verify(made, Secret("x")).status()));
}

TEST(PasswordHasher, HashesAlikeInMemoryThatWasUsed) {
  const PasswordHasher hasher(kCheapCost, Secret("p"));
  const std::string first = hasher.Hash(Secret("x"), kSalt)->phc;
  (void)hasher.Hash(Secret("another"), kSalt);
  EXPECT_EQ(hasher.Hash(Secret("x"), kSalt)->phc, first);
  hasher.GiveBackMemory();
  hasher.GiveBackMemory();
  EXPECT_EQ(hasher.Hash(Secret("x"), kSalt)->phc, first);
}

TEST(PasswordHasher, MeasuresByTheClockItIsGiven) {
  const PasswordHasher hasher(kCheapCost, Secret("p"));
  absl::Time now = kNow;
  const auto clock = [&now] { return now += absl::Milliseconds(7); };
  EXPECT_EQ(hasher.Measure({128, 2, 1}, clock).value(), absl::Milliseconds(7));
  EXPECT_FALSE(
      PasswordHasher(kCheapCost, Secret("p"), 1000 * 1024).Measure({1024, 1, 1}, clock).ok());
}

TEST(PasswordHasher, NonsenseIsDataLoss) {
  const PasswordHasher hasher(kCheapCost, Secret("p"));
  for (const char* phc :
       {"", "$argon2id$", "$argon2i$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAA",
        "$argon2id$v=19$m=0,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=99999999999,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=1,p=1$MDEy$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AA"}) {
    EXPECT_TRUE(absl::IsDataLoss(hasher.Verify(OfPhc(phc), Secret("x")).status())) << phc;
  }
}

}  // namespace
}  // namespace sasld
