#include "server/sasl/hash.h"

#include <gtest/gtest.h>

#include "server/sasl/scram_keys.h"
#include "tests/server/sasl/openssl_calls.h"

namespace sasld {
namespace {

std::string HexOf(const Secret& secret) { return openssl::Hex(secret.Reveal()); }

// RFC 6070 section 2; the 25 bytes of its fifth begin with these 20.
TEST(Pbkdf2, IsThatOfRfc6070) {
  EXPECT_EQ(HexOf(Pbkdf2(Hash::kSha1, "password", "salt", 1)),
            "0c60c80f961f0e71f3a9b524af6012062fe037a6");
  EXPECT_EQ(HexOf(Pbkdf2(Hash::kSha1, "password", "salt", 2)),
            "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
  EXPECT_EQ(HexOf(Pbkdf2(Hash::kSha1, "password", "salt", 4096)),
            "4b007901b765489abead49d926f721d065a429c1");
  EXPECT_EQ(HexOf(Pbkdf2(Hash::kSha1, "passwordPASSWORDpassword",
                         "saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096)),
            "3d2eec4fe41c849b80c8d83662c0e44a8b291a96");
}

// RFC 5802 section 5 and RFC 7677 section 3: SaltedPassword and the keys of their examples.
TEST(Pbkdf2, YieldsTheKeysOfTheScramExamples) {
  const std::string sha1_salt = openssl::Unbase64("QSXCR+Q6sek8bf92");
  EXPECT_EQ(HexOf(Pbkdf2(Hash::kSha1, "pencil", sha1_salt, 4096)),
            "1d96ee3a529b5a5f9e47c01f229a2cb8a6e15f7d");
  const ScramKeyPair sha1 = DeriveScramKeyPair(Hash::kSha1, Secret("pencil"), sha1_salt, 4096);
  EXPECT_EQ(openssl::Base64(sha1.stored_key.Reveal()), "6dlGYMOdZcOPutkcNY8U2g7vK9Y=");
  EXPECT_EQ(openssl::Base64(sha1.server_key.Reveal()), "D+CSWLOshSulAsxiupA+qs2/fTE=");
  EXPECT_EQ(
      HexOf(Pbkdf2(Hash::kSha256, "pencil", openssl::Unbase64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)),
      "c4a49510323ab4f952cac1fa99441939e78ea74d6be81ddf7096e87513dc615d");
}

const char* OpensslNameOf(Hash hash) {
  switch (hash) {
    case Hash::kSha1:
      return "SHA1";
    case Hash::kSha224:
      return "SHA224";
    case Hash::kSha256:
      return "SHA256";
    case Hash::kSha384:
      return "SHA384";
    case Hash::kSha512:
      return "SHA512";
    case Hash::kSha3_512:
      return "SHA3-512";
  }
  return "";
}

TEST(Hash, EachAgreesWithOpensslsOneShotCalls) {
  for (const Hash hash : kAllHashes) {
    const char* const name = OpensslNameOf(hash);
    for (const size_t size : {0u, 1u, 63u, 64u, 65u, 71u, 72u, 73u, 127u, 128u, 129u, 1000u}) {
      const std::string text(size, 'm');
      EXPECT_EQ(HexOf(Digest(hash, text)), openssl::Hex(openssl::Digest(name, text)));
      EXPECT_EQ(HexOf(Hmac(hash, text, "message")),
                openssl::Hex(openssl::Hmac(name, text, "message")));
    }
    EXPECT_EQ(Digest(hash, "").size(), HashBytes(hash));
    EXPECT_EQ(HexOf(Pbkdf2(hash, "p", "s", 3)),
              openssl::Hex(openssl::Pbkdf2(name, "p", "s", 3, HashBytes(hash))));
  }
}

}  // namespace
}  // namespace sasld
