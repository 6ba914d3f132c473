// Rules of accounts, as clients meet them; the rules by themselves: access_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/auth/attributes.h"
#include "tests/server/auth/client.h"

namespace sasld {
namespace {

using testing::HasSubstr;

class Rules : public testing::Test {
 protected:
  void SetUp() override {
    parts.MustCreate("alice", "secret");
    parts.MustCreate("boss", "secret");
  }
  Account Set(const RuleChanges& changes) {
    return parts.accounts.SetRules("alice", changes).value();
  }
  Dialogue LogIn(std::string_view mechanism, std::string name = "alice", std::string authzid = "") {
    return Play(parts, {mechanism, std::move(name), "secret", std::move(authzid)});
  }
  void ExpectRefused(const char* reason, std::string_view mechanism = "PLAIN") {
    const Dialogue refused = LogIn(mechanism);
    const Dialogue wrong = Play(parts, {mechanism, "alice", "wrong"});
    ASSERT_NE(refused.refused(), nullptr) << reason;
    EXPECT_EQ(refused.refused()->refusal, wrong.refused()->refusal);
    EXPECT_EQ(refused.refused()->not_before, wrong.refused()->not_before);
    EXPECT_EQ(refused.refused()->authcid, wrong.refused()->authcid);
    EXPECT_THAT(parts.log_text.str(), HasSubstr(std::string("reason=") + reason));
  }

  Parts parts{{1, 64, 64}, EveryMechanism()};
};

TEST_F(Rules, EachRefusesAsAWrongPasswordDoes) {
  struct Rule {
    const char* reason;
    RuleChanges on;
    RuleChanges off;
  };
  Rule rules[] = {
      {"account-expired", {.expires = kNow}, {.expires = absl::InfiniteFuture()}},
      {"must-change-password", {.must_change_password = true}, {.must_change_password = false}},
      {"app-password-required", {.require_app_password = true}, {.require_app_password = false}},
      {"service-not-allowed", {.services = {{"imap"}}}, {.services = {{}}}},
      {"network-not-allowed", {.networks = {{"198.51.100.0/24"}}}, {.networks = {{}}}},
      {"mechanism-not-allowed", {.mechanisms = {{"LOGIN"}}}, {.mechanisms = {{}}}}};
  rules[3].off.services.emplace();
  rules[4].off.networks.emplace();
  rules[5].off.mechanisms.emplace();
  for (const Rule& rule : rules) {
    SCOPED_TRACE(rule.reason);
    Set(rule.on);
    ExpectRefused(rule.reason);
    ExpectRefused(rule.reason, "SCRAM-SHA-256");
    Set(rule.off);
    EXPECT_NE(LogIn("PLAIN").granted(), nullptr);
  }
}

TEST_F(Rules, ChangeOnlyWhatIsNamed) {
  Account account = Set({.require_app_password = true, .expires = kNow + absl::Hours(1)});
  account = Set({.send_only = true, .services = {{"Submission"}}});
  EXPECT_TRUE(account.require_app_password);
  EXPECT_TRUE(account.send_only);
  EXPECT_EQ(account.expires, kNow + absl::Hours(1));
  EXPECT_EQ(account.access.services, std::vector<std::string>{"smtp"});
  account = Set({});
  EXPECT_TRUE(account.send_only);
  EXPECT_EQ(parts.accounts.SetRules("alice", {.networks = {{"nowhere"}}}).status().message(),
            "networks: \"nowhere\" is not a network such as \"192.0.2.0/24\"");
}

TEST_F(Rules, SendersAndAttributesAreSetAndTakenAway) {
  Account account = Set({.senders = {{"Sales@Example.org"}},
                         .attributes = {{"home", "/srv/alice"}, {"uid", "5000"}}});
  EXPECT_EQ(account.senders, std::vector<std::string>{"sales@example.org"});
  account = Set({.attributes = {{"uid", "5001"}}, .attributes_to_take_away = {"home", "none"}});
  EXPECT_EQ(account.attributes, (std::map<std::string, std::string>{{"uid", "5001"}}));
  EXPECT_EQ(account.senders.size(), 1u);
  account = Set({.senders = {std::vector<std::string>()}});
  EXPECT_TRUE(account.senders.empty());

  const auto refusal = [this](const RuleChanges& changes) {
    return std::string(parts.accounts.SetRules("alice", changes).status().message());
  };
  EXPECT_THAT(refusal({.senders = {{"sales"}}}), HasSubstr("senders: \"sales\""));
  EXPECT_THAT(refusal({.attributes = {{"Home", "x"}}}), HasSubstr("attributes: \"Home\""));
  EXPECT_THAT(refusal({.attributes = {{"home", "a\tb"}}}), HasSubstr("control character"));
  RuleChanges many;
  for (size_t i = 0; i < kMostAttributes; ++i) many.attributes["a" + std::to_string(i)] = "x";
  EXPECT_TRUE(absl::IsFailedPrecondition(parts.accounts.SetRules("alice", many).status()));
  many.attributes_to_take_away = {"uid"};
  EXPECT_EQ(Set(many).attributes.size(), kMostAttributes);
}

TEST_F(Rules, ANewPasswordWasChanged) {
  Set({.must_change_password = true});
  EXPECT_FALSE(parts.accounts.SetPassword("alice", "secret", kNow)->must_change_password);
  EXPECT_NE(LogIn("PLAIN").granted(), nullptr);
}

// Whoever logs in by an alias is the account, by its own name.
TEST_F(Rules, AnAliasLeadsToTheAccountsOwnName) {
  Set({.aliases = {{"Al", "alice@example.org"}}});
  for (const char* mechanism :
       {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS"}) {
    for (const char* alias : {"al", "alice@example.org"}) {
      SCOPED_TRACE(mechanism);
      const Dialogue dialogue = LogIn(mechanism, alias);
      ASSERT_NE(dialogue.granted(), nullptr) << alias;
      EXPECT_EQ(dialogue.granted()->authcid, "alice");
      EXPECT_EQ(dialogue.granted()->authzid, "alice");
    }
  }
  // EXTERNAL: the certificate's address is an alias.
  const Dialogue external = LogIn("EXTERNAL", "");
  ASSERT_NE(external.granted(), nullptr);
  EXPECT_EQ(external.granted()->authcid, "alice");
  EXPECT_THAT(parts.log_text.str(), HasSubstr("mechanism=EXTERNAL user=\"alice\""));
  EXPECT_THAT(parts.log_text.str(), HasSubstr("credential=certificate"));
}

TEST_F(Rules, AnAliasAsAuthzidIsTheAccount) {
  Set({.aliases = {{"al"}}});
  for (const char* mechanism : {"PLAIN", "SCRAM-SHA-256"}) {
    for (const auto& [authcid, authzid] :
         {std::pair("alice", "al"), std::pair("al", "alice"), std::pair("al", "al")}) {
      const Dialogue own = LogIn(mechanism, authcid, authzid);
      ASSERT_NE(own.granted(), nullptr) << authcid << authzid;
      EXPECT_EQ(own.granted()->authzid, "alice");
    }
    const Dialogue proxy = LogIn(mechanism, "boss", "al");
    ASSERT_NE(proxy.granted(), nullptr);
    EXPECT_EQ(proxy.granted()->authcid, "boss");
    EXPECT_EQ(proxy.granted()->authzid, "alice");
    EXPECT_EQ(LogIn(mechanism, "al", "boss").granted(), nullptr);
  }
}

TEST_F(Rules, AnAliasIsKnownToTheCacheAndTheThrottle) {
  ExchangePolicy policy = Parts::DefaultPolicy();
  policy.throttle.account_failures = 2;
  Parts cached({1, 64, 64}, policy, {16, absl::Minutes(10)});
  cached.MustCreate("alice", "secret");
  ASSERT_TRUE(cached.accounts.SetRules("alice", {.aliases = {{"al"}}}).ok());
  EXPECT_NE(Play(cached, {"PLAIN", "al", "secret"}).granted(), nullptr);
  EXPECT_EQ(cached.cache.size(), 1u);
  // Known by the name that it is throttled by.
  for (int i = 0; i < 5; ++i) Play(cached, {"PLAIN", "al", "wrong"});
  EXPECT_EQ(Play(cached, {"PLAIN", "al", "secret"}).granted()->authcid, "alice");
  // An alias that was taken away is nobody's, whatever the cache held.
  std::vector<std::string> none;
  ASSERT_TRUE(cached.accounts.SetRules("alice", {.aliases = none}).ok());
  EXPECT_EQ(Play(cached, {"PLAIN", "al", "secret"}).granted(), nullptr);
}

TEST_F(Rules, AnAliasIsNobodyElses) {
  EXPECT_TRUE(
      absl::IsAlreadyExists(parts.accounts.SetRules("alice", {.aliases = {{"boss"}}}).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(parts.accounts.SetRules("alice", {.aliases = {{""}}}).status()));
}

}  // namespace
}  // namespace sasld
