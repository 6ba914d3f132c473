#include "server/sasl/scram_keys.h"

#include <gtest/gtest.h>

#include "server/sasl/base64.h"

namespace sasld {
namespace {

ScramKeyPair Rfc7677Keys() {
  const std::string salt = DecodeBase64("W22ZaJ0SNY7soEsUEjb6gQ==").value();
  return DeriveScramKeyPair(Hash::kSha256, Secret("pencil"), salt, 4096);
}

TEST(ScramKeys, AreThoseOfRfc7677) {
  const ScramKeyPair keys = Rfc7677Keys();
  EXPECT_EQ(EncodeBase64(keys.stored_key.Reveal()), "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=");
  EXPECT_EQ(EncodeBase64(keys.server_key.Reveal()), "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
}

constexpr std::string_view kAuthMessage =
    "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

TEST(ScramKeys, ProofAndSignatureAreThoseOfRfc7677) {
  const ScramKeyPair keys = Rfc7677Keys();
  const std::string proof = DecodeBase64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").value();
  EXPECT_TRUE(ProofMatches(Hash::kSha256, keys, kAuthMessage, proof));
  EXPECT_EQ(EncodeBase64(ServerSignature(Hash::kSha256, keys, kAuthMessage)),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(ScramKeys, NoOtherProofMatches) {
  const ScramKeyPair keys = Rfc7677Keys();
  const std::string proof = DecodeBase64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").value();
  for (size_t bit = 0; bit < proof.size() * 8; ++bit) {
    std::string changed = proof;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(ProofMatches(Hash::kSha256, keys, kAuthMessage, changed));
  }
  EXPECT_FALSE(ProofMatches(Hash::kSha256, keys, kAuthMessage, ""));
  EXPECT_FALSE(ProofMatches(Hash::kSha256, keys, kAuthMessage, proof + "x"));
  EXPECT_FALSE(ProofMatches(Hash::kSha256, keys, "another message", proof));
}

TEST(ScramKeys, OneOfManyIsFoundByItsProof) {
  const std::string proof = DecodeBase64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").value();
  const auto other = [] { return DeriveScramKeyPair(Hash::kSha256, Secret("pen"), "salt", 4096); };
  std::vector<ScramCandidate> candidates;
  EXPECT_EQ(FindProved(Hash::kSha256, candidates, kAuthMessage, proof), nullptr);
  candidates.push_back({"first", other()});
  EXPECT_EQ(FindProved(Hash::kSha256, candidates, kAuthMessage, proof), nullptr);
  candidates.push_back({"second", Rfc7677Keys()});
  candidates.push_back({"third", other()});
  const ScramCandidate* found = FindProved(Hash::kSha256, candidates, kAuthMessage, proof);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name, "second");
}

// RFC 4231 test cases 1 and 6 (a key longer than a block).
TEST(ScramHmac, IsThatOfRfc4231) {
  EXPECT_EQ(EncodeBase64(Hmac(Hash::kSha256, std::string(20, '\x0b'), "Hi There").Reveal()),
            EncodeBase64(
                std::string_view("\xb0\x34\x4c\x61\xd8\xdb\x38\x53\x5c\xa8\xaf\xce\xaf\x0b\xf1\x2b"
                                 "\x88\x1d\xc2\x00\xc9\x83\x3d\xa7\x26\xe9\x37\x6c\x2e\x32\xcf\xf7",
                                 32)));
  EXPECT_EQ(EncodeBase64(Hmac(Hash::kSha256, std::string(131, '\xaa'),
                              "Test Using Larger Than Block-Size Key - Hash Key First")
                             .Reveal()),
            EncodeBase64("\x60\xe4\x31\x59\x1e\xe0\xb6\x7f\x0d\x8a\x26\xaa\xcb\xf5\xb7\x7f"
                         "\x8e\x0b\xc6\x21\x37\x28\xc5\x14\x05\x46\x04\x0f\x0e\xe3\x7f\x54"));
}

}  // namespace
}  // namespace sasld
