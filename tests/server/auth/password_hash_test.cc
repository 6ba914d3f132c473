#include "server/auth/password_hash.h"

#include <argon2.h>
#include <gtest/gtest.h>

#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

const std::string kSalt = "0123456789abcdef";

TEST(PasswordHasher, VerifiesWhatItHashed) {
  const PasswordHasher hasher(kCheapCost, Secret("pepper"));
  const std::string phc = hasher.Hash(Secret("secret"), kSalt).value();
  EXPECT_TRUE(phc.starts_with("$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$")) << phc;
  EXPECT_TRUE(hasher.Verify(phc, Secret("secret")).value());
  EXPECT_FALSE(hasher.Verify(phc, Secret("Secret")).value());
  EXPECT_TRUE(hasher.VerifyDecoy(Secret("secret")).ok());
}

// A stolen database alone allows no guessing.
TEST(PasswordHasher, WithoutThePepperNothingMatches) {
  const PasswordHasher hasher(kCheapCost, Secret("pepper"));
  const std::string phc = hasher.Hash(Secret("secret"), kSalt).value();
  EXPECT_FALSE(PasswordHasher(kCheapCost, Secret("other")).Verify(phc, Secret("secret")).value());
  EXPECT_EQ(argon2id_verify(phc.c_str(), "secret", 6), ARGON2_VERIFY_MISMATCH);
}

// Without a pepper it is the Argon2id of everybody else.
TEST(PasswordHasher, AgreesWithTheReferenceLibrary) {
  const PasswordHasher plain(kCheapCost, Secret());
  char encoded[200];
  ASSERT_EQ(argon2id_hash_encoded(1, 64, 1, "secret", 6, kSalt.data(), kSalt.size(), 32, encoded,
                                  sizeof encoded),
            ARGON2_OK);
  EXPECT_EQ(plain.Hash(Secret("secret"), kSalt).value(), encoded);
  EXPECT_TRUE(plain.Verify(encoded, Secret("secret")).value());
}

TEST(PasswordHasher, OldCostsGoOnWorking) {
  const PasswordHasher old_hasher({128, 2, 2}, Secret("p"));
  const std::string phc = old_hasher.Hash(Secret("x"), kSalt).value();
  EXPECT_TRUE(PasswordHasher(kCheapCost, Secret("p")).Verify(phc, Secret("x")).value());
}

TEST(PasswordHasher, NonsenseIsDataLoss) {
  const PasswordHasher hasher(kCheapCost, Secret("p"));
  for (const char* phc :
       {"", "$argon2id$", "$argon2i$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAA",
        "$argon2id$v=19$m=0,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=99999999999,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=1,p=1$MDEy$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AA"}) {
    EXPECT_TRUE(absl::IsDataLoss(hasher.Verify(phc, Secret("x")).status())) << phc;
  }
}

}  // namespace
}  // namespace sasld
