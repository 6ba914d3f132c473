#include "server/sasl/base64.h"

#include <gtest/gtest.h>

namespace sasld {
namespace {

TEST(Base64, EncodesTheExamplesOfRfc4648) {
  EXPECT_EQ(EncodeBase64(""), "");
  EXPECT_EQ(EncodeBase64("f"), "Zg==");
  EXPECT_EQ(EncodeBase64("fo"), "Zm8=");
  EXPECT_EQ(EncodeBase64("foo"), "Zm9v");
  EXPECT_EQ(EncodeBase64("foob"), "Zm9vYg==");
  EXPECT_EQ(EncodeBase64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(EncodeBase64("foobar"), "Zm9vYmFy");
}

TEST(Base64, DecodesWhatItEncodes) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  for (size_t length = 0; length <= all.size(); ++length) {
    EXPECT_EQ(DecodeBase64(EncodeBase64(all.substr(0, length))), all.substr(0, length));
  }
}

class NotBase64 : public testing::TestWithParam<const char*> {};

TEST_P(NotBase64, IsRefused) {
  EXPECT_FALSE(DecodeBase64(GetParam()).has_value());
  EXPECT_FALSE(DecodeBase64Secret(GetParam()).has_value());
}

INSTANTIATE_TEST_SUITE_P(All, NotBase64,
                         testing::Values("Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", "Zm 9", "====",
                                         "Z===", "Zg==Zg==", "Zm9-", "Zm9_", "Zg=A", "\x80m9v"));

TEST(Base64, DecodesIntoASecret) {
  const auto secret = DecodeBase64Secret("Zm9vYg==");
  ASSERT_TRUE(secret.has_value());
  EXPECT_EQ(secret->Reveal(), "foob");
}

}  // namespace
}  // namespace sasld
