// Names without a domain, where there is a default realm: in logins of every mechanism, and for the
// administrator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/auth/client.h"

namespace sasld {
namespace {

class DefaultRealm : public testing::Test {
 protected:
  DefaultRealm() { parts.directory.Adopt("example.org"); }

  std::string LogIn(std::string_view mechanism, std::string name, std::string password = "secret",
                    std::string authzid = "") {
    const Dialogue dialogue =
        Play(parts, {mechanism, std::move(name), std::move(password), std::move(authzid)});
    return dialogue.granted() ? dialogue.granted()->authcid : "refused";
  }
  std::string SaltOf(std::string_view name) {
    return parts.answers.KeysFor({Username::Prepare(name).value(), Hash::kSha256})->keys.salt;
  }

  Parts parts{{1, 64, 64}, EveryMechanism()};
};

TEST_F(DefaultRealm, StandsInForADomainThatIsNotThere) {
  parts.MustCreate("ann@example.org", "secret");
  for (const char* mechanism :
       {"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "CRAM-MD5"}) {
    EXPECT_EQ(LogIn(mechanism, "ann"), "ann@example.org") << mechanism;
    EXPECT_EQ(LogIn(mechanism, "Ann@Example.org"), "ann@example.org") << mechanism;
    EXPECT_EQ(LogIn(mechanism, "ann", "wrong"), "refused") << mechanism;
    EXPECT_EQ(LogIn(mechanism, "ann@example.net"), "refused") << mechanism;
  }
  EXPECT_EQ(LogIn("PLAIN", "ann", "secret", "ann"), "ann@example.org");
  EXPECT_EQ(LogIn("PLAIN", "ann", "secret", "ann@example.org"), "ann@example.org");
  EXPECT_EQ(LogIn("PLAIN", "ann@example.org", "secret", "ann"), "ann@example.org");
}

TEST_F(DefaultRealm, DoesNotHideWhoHasNoDomain) {
  parts.directory.Adopt("");
  parts.MustCreate("ann", "bare");
  parts.MustCreate("ben", "bare");
  parts.MustCreate("ann@example.org", "secret");
  parts.directory.Adopt("example.org");
  EXPECT_EQ(LogIn("SCRAM-SHA-256", "ann", "bare"), "ann");
  EXPECT_EQ(LogIn("SCRAM-SHA-256", "ann", "secret"), "refused");
  EXPECT_EQ(LogIn("SCRAM-SHA-256", "ann@example.org", "secret"), "ann@example.org");
  EXPECT_EQ(LogIn("PLAIN", "ben", "bare"), "ben");
  EXPECT_EQ(parts.accounts.Remove("ann").value().str(), "ann");
  EXPECT_EQ(parts.accounts.Remove("ann").value().str(), "ann@example.org");
}

TEST_F(DefaultRealm, WorksWithAliases) {
  parts.MustCreate("ann@example.org", "secret");
  ASSERT_TRUE(parts.accounts.SetRules("ann", {.aliases = {{"a.smith", "boss@example.net"}}}).ok());
  EXPECT_EQ(LogIn("PLAIN", "a.smith"), "ann@example.org");
  EXPECT_EQ(LogIn("SCRAM-SHA-256", "a.smith@example.org"), "ann@example.org");
  EXPECT_EQ(LogIn("SCRAM-SHA-256", "boss@example.net"), "ann@example.org");
  EXPECT_EQ(LogIn("SCRAM-SHA-256", "boss"), "refused");
}

// Else a second salt would tell names that nobody has from the others.
TEST_F(DefaultRealm, GivesNobodyOneSaltToo) {
  parts.MustCreate("ann@example.org", "secret");
  EXPECT_EQ(SaltOf("ann"), SaltOf("ann@example.org"));
  EXPECT_EQ(SaltOf("nobody"), SaltOf("nobody@example.org"));
  EXPECT_NE(SaltOf("nobody"), SaltOf("nobody@example.net"));
}

TEST_F(DefaultRealm, GivesNoMoreTriesToWhoLeavesItOut) {
  ExchangePolicy policy = Parts::DefaultPolicy();
  policy.throttle.account_failures = 2;
  Parts throttled({1, 64, 64}, policy);
  throttled.directory.Adopt("example.org");
  throttled.MustCreate("ann@example.org", "secret");
  for (const char* name : {"ann", "ann@example.org"}) {
    EXPECT_NE(Play(throttled, {"PLAIN", name, "wrong"}).refused(), nullptr) << name;
  }
  for (const char* name : {"ann", "ann@example.org"}) {
    EXPECT_NE(Play(throttled, {"PLAIN", name, "secret"}).undecided(), nullptr) << name;
  }
}

TEST_F(DefaultRealm, IsWhereNewAccountsAre) {
  EXPECT_EQ(parts.MustCreate("ann", "secret").name.str(), "ann@example.org");
  EXPECT_TRUE(absl::IsAlreadyExists(
      parts.accounts.Create("ann@example.org", "secret", true, kNow).status()));
  EXPECT_EQ(parts.accounts.Get("ann")->name.str(), "ann@example.org");
  EXPECT_EQ(parts.accounts.SetEnabled("ann", false)->name.str(), "ann@example.org");
  EXPECT_EQ(LogIn("PLAIN", "ann"), "refused");
  EXPECT_EQ(parts.accounts.Remove("ann")->str(), "ann@example.org");
  EXPECT_TRUE(absl::IsNotFound(parts.accounts.Remove("ann").status()));
}

TEST_F(DefaultRealm, IsNotPutToANameThatCannotTakeIt) {
  const auto completed = [this](std::string_view name) {
    return parts.directory.Complete(Username::Prepare(name).value()).str();
  };
  EXPECT_EQ(completed("ann"), "ann@example.org");
  EXPECT_EQ(completed("ann@"), "ann@");
  const std::string longest(Username::kMaxBytes, 'x');
  EXPECT_EQ(completed(longest), longest);
  // Written from right to left (RFC 3454 section 6).
  EXPECT_EQ(completed("\u05d0"), "\u05d0");
}

TEST_F(DefaultRealm, AStoreThatFailsIsNotAnUnknownName) {
  parts.MustCreate("ann@example.org", "secret");
  parts.store.FailReads(true);
  EXPECT_NE(Play(parts, {"PLAIN", "ann", "secret"}).undecided(), nullptr);
}

}  // namespace
}  // namespace sasld
