#include "server/auth/accounts.h"

#include <gtest/gtest.h>

#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

TEST(Accounts, OnePasswordServesEveryMechanism) {
  Parts parts;
  const Account account = parts.MustCreate("Ann@Example.ORG", "secret");
  EXPECT_EQ(account.name.str(), "ann@example.org");
  EXPECT_TRUE(account.credential.argon2id.starts_with("$argon2id$v=19$"));
  ASSERT_TRUE(account.credential.scram.has_value());
  EXPECT_EQ(account.credential.scram->salt.size(), kScramSaltBytes);
  EXPECT_NE(account.epoch, 0u);
}

TEST(Accounts, SaysWhatIsWrongWithWhichField) {
  Parts parts;
  EXPECT_EQ(parts.accounts.Create("", "x", true, kNow).status().message(), "name: is empty");
  EXPECT_EQ(parts.accounts.Create("a", "", true, kNow).status().message(), "password: is empty");
  EXPECT_EQ(parts.accounts.Create("a", std::string(2000, 'x'), true, kNow).status().message(),
            "password: longer than 1024 bytes");
}

TEST(Accounts, CreateRefusesATakenName) {
  Parts parts;
  parts.MustCreate("ann", "secret");
  EXPECT_TRUE(absl::IsAlreadyExists(parts.accounts.Create("ANN", "x", true, kNow).status()));
}

TEST(Accounts, EachChangeRaisesTheEpoch) {
  Parts parts;
  Epoch last = parts.MustCreate("ann", "secret").epoch;
  const auto rises = [&last](const absl::StatusOr<Account>& account) {
    ASSERT_TRUE(account.ok()) << account.status();
    EXPECT_GT(account->epoch, last);
    last = account->epoch;
  };
  rises(parts.accounts.SetPassword("ann", "other", kNow));
  rises(parts.accounts.SetEnabled("ann", false));
  rises(parts.accounts.SetEnabled("ann", true));
  ASSERT_TRUE(parts.accounts.Remove("ann").ok());
  EXPECT_GT(parts.MustCreate("ann", "secret").epoch, last);
}

TEST(Accounts, UnknownNamesAreNotFound) {
  Parts parts;
  EXPECT_TRUE(absl::IsNotFound(parts.accounts.SetPassword("ann", "x", kNow).status()));
  EXPECT_TRUE(absl::IsNotFound(parts.accounts.SetEnabled("ann", true).status()));
  EXPECT_TRUE(absl::IsNotFound(parts.accounts.Remove("ann").status()));
  EXPECT_TRUE(absl::IsNotFound(parts.accounts.Get("ann").status()));
}

TEST(Accounts, AFailedWriteIsTold) {
  Parts parts;
  parts.MustCreate("ann", "secret");
  parts.store.FailWrites(true);
  EXPECT_TRUE(absl::IsUnavailable(parts.accounts.SetPassword("ann", "x", kNow).status()));
  EXPECT_TRUE(absl::IsUnavailable(parts.accounts.Create("bob", "x", true, kNow).status()));
}

}  // namespace
}  // namespace sasld
