#include "server/sasl/saslprep.h"

#include <gtest/gtest.h>

#include "server/sasl/username.h"

namespace sasld {
namespace {

// RFC 4013 section 3.
TEST(Saslprep, PreparesTheExamplesOfTheRfc) {
  EXPECT_EQ(PrepareStored("I\xC2\xADX").value(), "IX");
  EXPECT_EQ(PrepareStored("user").value(), "user");
  EXPECT_EQ(PrepareStored("USER").value(), "USER");
  EXPECT_EQ(PrepareStored("\xC2\xAA").value(), "a");
  EXPECT_EQ(PrepareStored("\xE2\x85\xA8").value(), "IX");
  EXPECT_FALSE(PrepareStored("\x07").ok());
  EXPECT_FALSE(PrepareStored("\xD8\xA7\x31").ok());
}

TEST(Saslprep, RefusesWhatIsNotUtf8) {
  for (const char* text : {"\xff", "a\xC3", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xC0\x80"}) {
    EXPECT_FALSE(PrepareStored(text).ok());
    EXPECT_FALSE(PreparePassword(text).ok());
  }
}

TEST(Saslprep, UnassignedPassesInPasswordsOnly) {
  const std::string emoji = "\xF0\x9F\xA6\x84";  // U+1F984, younger than Unicode 3.2
  EXPECT_FALSE(PrepareStored(emoji).ok());
  EXPECT_EQ(PreparePassword(emoji).value().Reveal(), emoji);
}

TEST(Saslprep, LongestExpansionFits) {
  // U+FDFA is 18 characters in compatibility form.
  std::string text;
  for (int i = 0; i < 80; ++i) text += "\xEF\xB7\xBA";
  EXPECT_TRUE(PreparePassword(text).ok());
}

TEST(Password, LimitsAreTold) {
  EXPECT_TRUE(PreparePassword(std::string(1024, 'x')).ok());
  EXPECT_EQ(PreparePassword(std::string(1025, 'x')).status().message(), "longer than 1024 bytes");
  EXPECT_EQ(PreparePassword("").status().message(), "is empty");
  EXPECT_EQ(PreparePassword("\xC2\xAD").status().message(), "is empty after SASLprep");
  EXPECT_EQ(PreparePassword(std::string_view("a\0b", 3)).status().message(), "holds a NUL byte");
}

TEST(UsernamePreparation, IsOneForAllSpellings) {
  EXPECT_EQ(Username::Prepare("Ann@Example.ORG").value().str(), "ann@example.org");
  EXPECT_EQ(Username::Prepare("J\xC3\x96RG").value().str(), "j\xC3\xB6rg");
  // Composed and decomposed.
  EXPECT_EQ(Username::Prepare("jo\xCC\x88rg").value(), Username::Prepare("j\xC3\xB6rg").value());
}

TEST(UsernamePreparation, PreparingTwiceChangesNothing) {
  for (const char* name : {"\xC4\xB0stanbul", "\xE2\x85\xA8",
                           "Stra\xC3\x9F"
                           "e",
                           "\xCE\xA3\xCE\xA3"}) {
    const auto once = Username::Prepare(name);
    ASSERT_TRUE(once.ok());
    EXPECT_EQ(Username::Prepare(once->str()).value(), *once);
  }
}

TEST(UsernamePreparation, RefusesTooLongAndEmpty) {
  EXPECT_TRUE(Username::Prepare(std::string(255, 'a')).ok());
  EXPECT_FALSE(Username::Prepare(std::string(256, 'a')).ok());
  EXPECT_FALSE(Username::Prepare(std::string(1 << 20, 'a')).ok());
  EXPECT_FALSE(Username::Prepare("").ok());
  EXPECT_FALSE(Username::Prepare(std::string_view("a\0b", 3)).ok());
}

}  // namespace
}  // namespace sasld
