#include "client/base64.h"

#include <gtest/gtest.h>

#include <string>

namespace sasld {
namespace {

std::string Encoded(std::string_view bytes) {
  std::string text(Base64Size(bytes.size()), '?');
  EncodeBase64(bytes, text.data());
  return text;
}

std::optional<std::string> Decoded(std::string_view text, size_t capacity = 100) {
  std::string bytes(capacity, '?');
  std::optional<size_t> size = DecodeBase64(text, bytes.data(), capacity);
  if (!size) return std::nullopt;
  bytes.resize(*size);
  return bytes;
}

// RFC 4648 section 10.
constexpr std::pair<std::string_view, std::string_view> kVectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

TEST(Base64, IsThatOfTheRfc) {
  for (auto [bytes, text] : kVectors) {
    EXPECT_EQ(Encoded(bytes), text);
    EXPECT_EQ(Decoded(text), bytes);
  }
}

TEST(Base64, CarriesEveryByte) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (size_t from = 0; from < 3; ++from) {
    EXPECT_EQ(Decoded(Encoded(all.substr(from)), 256), all.substr(from));
  }
}

TEST(Base64, RefusesWhatIsNotTheOneFormOfAnyBytes) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zm9", "Z===", "====", "Zh==", "Zm9=", "Zg==Zg==",
                           "=Zg=", "Zm 9", "Zm9\n", "Zm9-", "Zg==="}) {
    EXPECT_EQ(Decoded(text), std::nullopt) << text;
  }
  EXPECT_EQ(Decoded(std::string_view("Zm\0v", 4)), std::nullopt);
}

TEST(Base64, WritesNoMoreThanThereIsRoomFor) {
  EXPECT_EQ(Decoded("Zm9v", 3), "foo");
  EXPECT_EQ(Decoded("Zm9v", 2), std::nullopt);
  EXPECT_EQ(Decoded("Zg==", 0), std::nullopt);
}

}  // namespace
}  // namespace sasld
