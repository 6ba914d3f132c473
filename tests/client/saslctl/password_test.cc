#include "client/saslctl/password.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <string>

#include "client/saslctl/password_input.h"

namespace sasld::saslctl {
namespace {

absl::StatusOr<Password> FromPipe(std::string_view bytes) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  EXPECT_EQ(write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  close(ends[1]);
  absl::StatusOr<Password> password = ReadPasswordLine(ends[0]);
  close(ends[0]);
  return password;
}

TEST(GeneratePassword, GivesFiveGroupsOfReadableSigns) {
  const absl::StatusOr<Password> password = GeneratePassword();
  ASSERT_TRUE(password.ok());
  const std::string text(password->Reveal());
  ASSERT_EQ(text.size(), 29u);
  for (size_t i = 0; i < text.size(); ++i) {
    if (i % 6 == 5) {
      EXPECT_EQ(text[i], '-');
    } else {
      EXPECT_NE(std::string("abcdefghijkmnpqrstuvwxyz23456789").find(text[i]), std::string::npos);
    }
  }
}

TEST(GeneratePassword, UsesEverySignAndNeverRepeats) {
  std::set<std::string> seen;
  std::set<char> signs;
  for (int i = 0; i < 200; ++i) {
    const absl::StatusOr<Password> password = GeneratePassword();
    ASSERT_TRUE(password.ok());
    seen.emplace(password->Reveal());
    for (const char sign : password->Reveal()) signs.insert(sign);
  }
  EXPECT_EQ(seen.size(), 200u);
  EXPECT_EQ(signs.size(), 33u);  // 5000 draws of 32 signs, and the hyphen
}

TEST(Password, IsEmptyAfterItWasMovedFrom) {
  Password first("secret");
  const Password second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is the promise
  EXPECT_EQ(second.Reveal(), "secret");
}

TEST(ReadPasswordLine, StripsOneNewlineAndNothingElse) {
  EXPECT_EQ(FromPipe(" two words \n")->Reveal(), " two words ");
  EXPECT_EQ(FromPipe("no newline")->Reveal(), "no newline");
  EXPECT_EQ(FromPipe("first\nsecond\n")->Reveal(), "first");
}

TEST(ReadPasswordLine, RefusesEmptyNulAndTooLong) {
  EXPECT_EQ(FromPipe("").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FromPipe("\n").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FromPipe(std::string("a\0b\n", 4)).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(FromPipe(std::string(1024, 'x') + "\n").ok());
  EXPECT_EQ(FromPipe(std::string(1025, 'x') + "\n").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(SamePassword, ComparesAllOfIt) {
  EXPECT_TRUE(SamePassword(Password("one"), Password("one")));
  EXPECT_FALSE(SamePassword(Password("one"), Password("ones")));
  EXPECT_FALSE(SamePassword(Password("one"), Password("onf")));
}

}  // namespace
}  // namespace sasld::saslctl
