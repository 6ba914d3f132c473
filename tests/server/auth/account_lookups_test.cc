#include "server/auth/account_lookups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_format.h"
#include "tests/server/auth/parts.h"
#include "tests/storage/accounts.h"

namespace sasld {
namespace {

using testing::ElementsAre;
using testing::Pair;

class AccountLookupsTest : public testing::Test {
 protected:
  AccountFacts Find(std::string_view name) { return parts.lookups.Find(name, now).value(); }

  Parts parts;
  absl::Time now = absl::FromUnixSeconds(1'800'000'000);
};

TEST_F(AccountLookupsTest, AnAccountIsFoundByWhatPeopleWrite) {
  parts.MustCreate("ann@example.org", "secret");
  ASSERT_TRUE(parts.accounts.SetRules("ann@example.org", {.aliases = {{"boss"}}}).ok());
  parts.directory.Adopt("example.org");
  for (const char* name : {"ann@example.org", "Ann@Example.ORG", "ann", "boss"}) {
    EXPECT_EQ(Find(name).name.str(), "ann@example.org") << name;
  }
}

TEST_F(AccountLookupsTest, WhoIsNotThereIsNotFound) {
  for (const std::string& name : {std::string("ann"), std::string(), std::string("a\0b", 3),
                                  std::string("\xff"), std::string(5000, 'a')}) {
    EXPECT_TRUE(absl::IsNotFound(parts.lookups.Find(name, now).status()));
  }
}

TEST_F(AccountLookupsTest, AttributesAreItsOwnAndItsDomains) {
  Account account = parts.MustCreate("ann@example.org", "secret");
  account.attributes = {{"uid", "5000"}};
  ASSERT_TRUE(parts.store.Update(account).ok());
  Domain domain{"example.org"};
  domain.attributes = {{"home", "/srv/%d/%n"}, {"uid", "1"}};
  ASSERT_TRUE(parts.store.PutDomain(domain).ok());
  EXPECT_THAT(Find("ann@example.org").attributes,
              ElementsAre(Pair("home", Attribute{"/srv/example.org/ann", true}),
                          Pair("uid", Attribute{"5000", false})));
}

TEST_F(AccountLookupsTest, WhoMayNotLogInIsFoundAllTheSame) {
  Account account = parts.MustCreate("ann", "secret");
  EXPECT_TRUE(Find("ann").may_log_in);
  account.enabled = false;
  account.epoch = parts.store.Update(account).value();
  EXPECT_FALSE(Find("ann").may_log_in);
  account.enabled = true;
  account.expires = now;
  ASSERT_TRUE(parts.store.Update(account).ok());
  EXPECT_FALSE(Find("ann").may_log_in);
}

TEST_F(AccountLookupsTest, NamesComeInPages) {
  constexpr size_t kPage = AccountLookups::kNamesPerPage;
  for (size_t i = 0; i < kPage + 3; ++i) {
    Account account = MakeBareAccount(absl::StrFormat("user%04d", i));
    ASSERT_TRUE(parts.store.Create(account).ok());
  }
  const auto first = parts.lookups.NamesAfter("").value();
  ASSERT_EQ(first.size(), kPage);
  EXPECT_EQ(first.front(), "user0000");
  const auto second = parts.lookups.NamesAfter(first.back()).value();
  EXPECT_EQ(second.size(), 3U);
  EXPECT_TRUE(parts.lookups.NamesAfter(second.back()).value().empty());
}

}  // namespace
}  // namespace sasld
