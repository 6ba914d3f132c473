#include "client/adapter/tab_fields.h"
#include "client/base64.h"

#include <gtest/gtest.h>

#include "client/adapter/base64.h"

namespace sasld {
namespace {

using std::string_view_literals::operator""sv;

TEST(TabFields, YieldsEmptyFieldsToo) {
  TabFields fields("a\t\tb\t");
  EXPECT_EQ(fields.Next(), "a");
  EXPECT_EQ(fields.Rest(), "\tb\t");
  EXPECT_EQ(fields.Next(), "");
  EXPECT_EQ(fields.Next(), "b");
  EXPECT_EQ(fields.Next(), "");
  EXPECT_EQ(fields.Rest(), std::nullopt);
  EXPECT_EQ(fields.Next(), std::nullopt);
}

TEST(TabFields, OfAnEmptyLineIsOneEmptyField) {
  TabFields fields("");
  EXPECT_EQ(fields.Next(), "");
  EXPECT_EQ(fields.Next(), std::nullopt);
}

TEST(TabEscaping, CoversAllThatEndsAFieldOrALine) {
  std::string escaped;
  AppendTabEscaped("a\0b\1c\td\re\nf"sv, escaped);
  EXPECT_EQ(escaped,
            "a\1"
            "0b\1"
            "1c\1td\1re\1nf");
  EXPECT_EQ(TabUnescaped(escaped), "a\0b\1c\td\re\nf"sv);
}

TEST(TabEscaping, IsUndoneWithOddEscapesAsDovecotDoes) {
  EXPECT_EQ(TabUnescaped("\1xy\1"), "xy");
  EXPECT_EQ(TabUnescaped(""), "");
}

std::string Base64(std::string_view bytes) {
  std::string text;
  AppendBase64(bytes, text);
  EXPECT_EQ(text.size(), Base64Size(bytes.size()));
  EXPECT_TRUE(LooksLikeBase64(text));
  return text;
}

TEST(Base64, HasTheVectorsOfRfc4648) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foo"), "Zm9v");
  EXPECT_EQ(Base64("foob"), "Zm9vYg==");
  EXPECT_EQ(Base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64("\xfb\xff\xfe\x00"sv), "+//+AA==");
}

TEST(Base64, IsNotWhatHasOtherCharactersOrAnOddLength) {
  for (std::string_view text : {"A"sv, "AB"sv, "ABC"sv, "ABCDE"sv, "AB D"sv, "AB\tD"sv, "AB-_"sv,
                                "AB\0D"sv, "AB\xc3\xa4"sv}) {
    EXPECT_FALSE(LooksLikeBase64(text)) << text;
  }
}

}  // namespace
}  // namespace sasld
