#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "client/adapter/mechanism_cache.h"
#include "client/adapter/mechanism_text.h"

namespace sasld {
namespace {

std::string RoundTrip(std::string_view text) {
  std::string again;
  AppendMechanism(ParseMechanism(text).value(), ' ', again);
  return again;
}

TEST(MechanismText, KeepsAllProperties) {
  constexpr std::string_view kAll =
      "X private anonymous plaintext dictionary active forward-secrecy mutual-auth channel-binding";
  EXPECT_EQ(RoundTrip(kAll), kAll);
  EXPECT_EQ(RoundTrip("  SCRAM-SHA-256 \t mutual-auth "), "SCRAM-SHA-256 mutual-auth");
}

TEST(MechanismText, SaysWhichWordIsWrong) {
  EXPECT_EQ(ParseMechanism("PLAIN plain").status().message(),
            "\"plain\" is not a property of a mechanism such as \"plaintext\"");
  EXPECT_EQ(ParseMechanism("PLÄIN").status().message(),
            "\"PLÄIN\" is not a mechanism's name such as \"PLAIN\"");
  EXPECT_FALSE(ParseMechanism("").ok());
}

v1::ListMechanismsReply List(std::initializer_list<std::string_view> texts) {
  v1::ListMechanismsReply mechanisms;
  for (std::string_view text : texts) *mechanisms.add_mechanisms() = ParseMechanism(text).value();
  return mechanisms;
}

std::string Current(const MechanismCache& cache) {
  std::string text;
  for (const v1::MechanismInfo& mechanism : cache.current().mechanisms()) {
    AppendMechanism(mechanism, ' ', text);
    text += '\n';
  }
  return text;
}

class MechanismCacheTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(folder_), nullptr); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string File() const { return std::string(folder_) + "/mechanisms"; }
  void Write(std::string_view text) { std::ofstream(File()) << text; }
  std::string Read() {
    std::ifstream file(File());
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  char folder_[64] = "/tmp/sasld-mechanism-test-XXXXXX";
  const v1::ListMechanismsReply fallback_ = List({"PLAIN plaintext"});
};

TEST_F(MechanismCacheTest, StartsWithTheFallback) {
  MechanismCache cache(fallback_, File());
  EXPECT_TRUE(absl::IsNotFound(cache.Load()));
  EXPECT_EQ(Current(cache), "PLAIN plaintext\n");
}

TEST_F(MechanismCacheTest, RemembersWhatSasldSaidAcrossARestart) {
  MechanismCache first(fallback_, File());
  ASSERT_TRUE(first.Learn(List({"SCRAM-SHA-256 mutual-auth", "PLAIN plaintext"})).ok());
  EXPECT_EQ(Current(first), "SCRAM-SHA-256 mutual-auth\nPLAIN plaintext\n");

  MechanismCache second(fallback_, File());
  ASSERT_TRUE(second.Load().ok());
  EXPECT_EQ(Current(second), "SCRAM-SHA-256 mutual-auth\nPLAIN plaintext\n");
}

TEST_F(MechanismCacheTest, WritesOnlyWhatChanged) {
  MechanismCache cache(fallback_, File());
  ASSERT_TRUE(cache.Learn(List({"LOGIN plaintext"})).ok());
  Write("tampered");
  ASSERT_TRUE(cache.Learn(List({"LOGIN plaintext"})).ok());
  EXPECT_EQ(Read(), "tampered");
  ASSERT_TRUE(cache.Learn(List({"PLAIN plaintext"})).ok());
  EXPECT_EQ(Read(), "PLAIN plaintext\n");
}

TEST_F(MechanismCacheTest, KeepsWhatItHadWhenSasldOffersNothing) {
  MechanismCache cache(fallback_, File());
  ASSERT_TRUE(cache.Learn(List({"LOGIN plaintext"})).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(cache.Learn(List({}))));
  EXPECT_TRUE(
      absl::IsFailedPrecondition(cache.Learn(List({"APOP private", "X-PLUS channel-binding"}))));
  EXPECT_EQ(Current(cache), "LOGIN plaintext\n");
}

TEST_F(MechanismCacheTest, IgnoresAFileThatMakesNoSense) {
  for (std::string_view text : {"", "\n", "PLAIN nonsense\n", "APOP private\n", "\x01\x02\n"}) {
    Write(text);
    MechanismCache cache(fallback_, File());
    absl::Status loaded = cache.Load();
    EXPECT_TRUE(absl::IsInvalidArgument(loaded)) << text;
    EXPECT_NE(loaded.message().find(File()), absl::string_view::npos);
    EXPECT_EQ(Current(cache), "PLAIN plaintext\n");
  }
}

TEST_F(MechanismCacheTest, TakesANewListAlsoWhenTheFileCannotBeWritten) {
  MechanismCache cache(fallback_, std::string(folder_) + "/missing/mechanisms");
  absl::Status learned = cache.Learn(List({"LOGIN plaintext"}));
  EXPECT_TRUE(absl::IsUnavailable(learned));
  EXPECT_NE(learned.message().find("/missing/mechanisms.new: No such file"),
            absl::string_view::npos);
  EXPECT_EQ(Current(cache), "LOGIN plaintext\n");
}

}  // namespace
}  // namespace sasld
