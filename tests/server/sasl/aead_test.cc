#include "server/sasl/aead.h"

#include <gtest/gtest.h>

namespace sasld {
namespace {

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// Test case 16 of the GCM specification that NIST SP 800-38D refers to (McGrew and Viega).
const std::string kKey =
    FromHex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
const std::string kNonce = FromHex("cafebabefacedbaddecaf888");
const std::string kAssociated = FromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
const std::string kPlaintext = FromHex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
    "b525b16aedf5aa0de657ba637b39");
const std::string kSealed = FromHex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b105682"
    "8838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");

TEST(Aead, SealsAndOpensTheVector) {
  std::string out = "before";
  ASSERT_TRUE(AeadSeal(kKey, kNonce, kAssociated, kPlaintext, out));
  EXPECT_EQ(out, "before" + kSealed);
  std::string opened(kPlaintext.size(), '\0');
  ASSERT_TRUE(AeadOpen(kKey, kNonce, kAssociated, kSealed, opened.data()));
  EXPECT_EQ(opened, kPlaintext);
}

TEST(Aead, OpensNothingElse) {
  std::string out(kPlaintext.size(), '\0');
  std::string changed = kSealed;
  changed.back() ^= 1;
  EXPECT_FALSE(AeadOpen(kKey, kNonce, kAssociated, changed, out.data()));
  EXPECT_FALSE(AeadOpen(kKey, kNonce, kAssociated + "x", kSealed, out.data()));
  EXPECT_FALSE(AeadOpen(kKey, std::string(12, 'n'), kAssociated, kSealed, out.data()));
  EXPECT_FALSE(AeadOpen(std::string(32, 'k'), kNonce, kAssociated, kSealed, out.data()));
  EXPECT_FALSE(AeadOpen(kKey, kNonce, kAssociated, "short", out.data()));
}

TEST(Aead, RefusesKeysAndNoncesOfAnotherSize) {
  std::string out = "kept";
  EXPECT_FALSE(AeadSeal(kKey.substr(1), kNonce, "", "x", out));
  EXPECT_FALSE(AeadSeal(kKey, kNonce.substr(1), "", "x", out));
  EXPECT_EQ(out, "kept");
}

}  // namespace
}  // namespace sasld
