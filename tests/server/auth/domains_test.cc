#include "server/auth/domains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/auth/attributes.h"
#include "tests/server/auth/client.h"

namespace sasld {
namespace {

using testing::HasSubstr;

TEST(Domains, AreMadeAndChangedByWhatIsNamed) {
  Parts parts;
  Domain domain = parts.domains.Set("Example.ORG", {.send_only = true}).value();
  EXPECT_EQ(domain.name, "example.org");
  EXPECT_TRUE(domain.enabled && domain.send_only && !domain.require_app_password);
  const Epoch first = domain.epoch;
  domain = parts.domains
               .Set("example.org", {.enabled = false,
                                    .services = {{"Submission"}},
                                    .attributes = {{"home", "/srv/%d/%n"}, {"uid", "500"}}})
               .value();
  EXPECT_GT(domain.epoch, first);
  EXPECT_TRUE(!domain.enabled && domain.send_only);
  EXPECT_EQ(domain.access.services, std::vector<std::string>{"smtp"});
  domain = parts.domains
               .Set("example.org", {.attributes = {{"uid", "501"}},
                                    .attributes_to_take_away = {"home", "never-there"}})
               .value();
  EXPECT_EQ(domain.attributes, (std::map<std::string, std::string>{{"uid", "501"}}));
  EXPECT_EQ(parts.domains.Get("EXAMPLE.org").value(), domain);
}

TEST(Domains, SayWhatIsWrongWithWhichField) {
  Parts parts;
  const auto refusal = [&parts](std::string_view name, const DomainChanges& changes) {
    const absl::Status status = parts.domains.Set(name, changes).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  EXPECT_EQ(refusal("", {}), "name: is empty");
  EXPECT_THAT(refusal("ann@example.org", {}), HasSubstr("name: has an @"));
  EXPECT_THAT(refusal("example.org", {.networks = {{"nowhere"}}}), HasSubstr("networks: "));
  EXPECT_THAT(refusal("example.org", {.attributes = {{"Home", "x"}}}), HasSubstr("\"Home\""));
  EXPECT_THAT(refusal("example.org", {.attributes = {{"home", "%h"}}}), HasSubstr("\"%h\""));
  EXPECT_THAT(refusal("example.org", {.attributes_to_take_away = {"a=b"}}), HasSubstr("\"a=b\""));
  EXPECT_TRUE(absl::IsNotFound(parts.domains.Get("example.org").status()));
}

TEST(Domains, HaveSoManyAttributes) {
  Parts parts;
  DomainChanges changes;
  for (size_t i = 0; i < kMostAttributes; ++i) changes.attributes["a" + std::to_string(i)] = "x";
  ASSERT_TRUE(parts.domains.Set("example.org", changes).ok());
  const absl::Status status =
      parts.domains.Set("example.org", {.attributes = {{"more", "x"}}}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(
      parts.domains
          .Set("example.org", {.attributes = {{"more", "x"}}, .attributes_to_take_away = {"a0"}})
          .ok());
}

TEST(Domains, AreRemovedAndTheirAccountsStay) {
  Parts parts;
  parts.MustCreate("ann@example.org", "secret");
  ASSERT_TRUE(parts.domains.Set("example.org", {.enabled = false}).ok());
  EXPECT_EQ(Play(parts, {"PLAIN", "ann@example.org", "secret"}).granted(), nullptr);
  EXPECT_EQ(parts.domains.Remove("Example.org").value(), "example.org");
  EXPECT_TRUE(absl::IsNotFound(parts.domains.Remove("example.org").status()));
  EXPECT_NE(Play(parts, {"PLAIN", "ann@example.org", "secret"}).granted(), nullptr);
}

TEST(Domains, AFailedWriteIsTold) {
  Parts parts;
  parts.store.FailWrites(true);
  EXPECT_TRUE(absl::IsUnavailable(parts.domains.Set("example.org", {}).status()));
  EXPECT_TRUE(absl::IsUnavailable(parts.domains.Remove("example.org").status()));
  parts.store.FailReads(true);
  EXPECT_TRUE(absl::IsUnavailable(parts.domains.Set("example.org", {}).status()));
}

// What a domain has, as clients of its accounts meet it.
class DomainRules : public testing::Test {
 protected:
  void SetUp() override {
    parts.MustCreate("alice@example.org", "secret");
    parts.MustCreate("bob@example.net", "secret");
    parts.MustCreate("boss", "secret");
  }
  void Set(const DomainChanges& changes) {
    const absl::Status status = parts.domains.Set("example.org", changes).status();
    ASSERT_TRUE(status.ok()) << status;
  }
  Dialogue LogIn(std::string_view mechanism, std::string name = "alice@example.org",
                 std::string authzid = "") {
    return Play(parts, {mechanism, std::move(name), "secret", std::move(authzid)});
  }
  Parts parts{{1, 64, 64}, EveryMechanism()};
};

TEST_F(DomainRules, ADisabledDomainLetsNobodyInWhateverTheMechanism) {
  for (const RegisteredMechanism& mechanism : AllMechanisms()) {
    if (mechanism.verifier == Verifier::kNone) continue;
    SCOPED_TRACE(mechanism.name);
    const std::string name =
        mechanism.verifier == Verifier::kCertificate ? "" : "alice@example.org";
    EXPECT_NE(LogIn(mechanism.name, name).granted(), nullptr);
    Set({.enabled = false});
    const Dialogue refused = LogIn(mechanism.name, name);
    ASSERT_NE(refused.refused(), nullptr);
    EXPECT_EQ(refused.refused()->refusal, Refusal::kAuthenticationFailed);
    Set({.enabled = true});
  }
  EXPECT_THAT(parts.log_text.str(), HasSubstr("reason=domain-disabled"));
  Set({.enabled = false});
  EXPECT_NE(LogIn("PLAIN", "bob@example.net").granted(), nullptr);
}

TEST_F(DomainRules, ARefusalIsAsThatOfAWrongPassword) {
  Set({.enabled = false});
  for (const char* mechanism : {"PLAIN", "SCRAM-SHA-256"}) {
    const Dialogue refused = LogIn(mechanism);
    const Dialogue wrong = Play(parts, {mechanism, "alice@example.org", "wrong"});
    ASSERT_NE(refused.refused(), nullptr);
    EXPECT_EQ(refused.refused()->refusal, wrong.refused()->refusal);
    EXPECT_EQ(refused.refused()->not_before, wrong.refused()->not_before);
    EXPECT_EQ(refused.refused()->authcid, wrong.refused()->authcid);
  }
}

// Between two steps: the account is read at each judgement.
TEST_F(DomainRules, HoldForTheNextStep) {
  for (const char* mechanism : {"LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS"}) {
    SCOPED_TRACE(mechanism);
    const Client client{mechanism, "alice@example.org", "secret"};
    Dialogue disabled = PlayToTheLastStep(parts, client);
    Set({.enabled = false});
    const StepResult refused = parts.Step(std::move(disabled.last));
    EXPECT_TRUE(std::holds_alternative<Refused>(refused));
    Dialogue enabled = PlayToTheLastStep(parts, client);
    Set({.enabled = true});
    const StepResult last = parts.Step(std::move(enabled.last));
    EXPECT_TRUE(std::holds_alternative<Granted>(last));
  }
}

TEST_F(DomainRules, HoldForAPasswordThatIsRemembered) {
  Parts cached({1, 64, 64}, Parts::DefaultPolicy(), {16, absl::Minutes(10)});
  cached.MustCreate("alice@example.org", "secret");
  EXPECT_NE(Play(cached, {"PLAIN", "alice@example.org", "secret"}).granted(), nullptr);
  EXPECT_EQ(cached.cache.size(), 1u);
  ASSERT_TRUE(cached.domains.Set("example.org", {.enabled = false}).ok());
  EXPECT_EQ(Play(cached, {"PLAIN", "alice@example.org", "secret"}).granted(), nullptr);
}

TEST_F(DomainRules, ARequiredAppPasswordIsTheOnlyOne) {
  const AddedAppPassword phone =
      parts.accounts.AddAppPassword("alice@example.org", {"phone", {}}, kNow).value();
  const std::string text(phone.text.Reveal());
  Set({.require_app_password = true});
  for (const char* mechanism : {"PLAIN", "SCRAM-SHA-256"}) {
    EXPECT_EQ(LogIn(mechanism).granted(), nullptr) << mechanism;
    EXPECT_NE(Play(parts, {mechanism, "alice@example.org", text}).granted(), nullptr) << mechanism;
  }
  EXPECT_THAT(parts.log_text.str(), HasSubstr("reason=app-password-required"));
}

TEST_F(DomainRules, HoldForWhoIsActedFor) {
  EXPECT_NE(LogIn("PLAIN", "boss", "alice@example.org").granted(), nullptr);
  for (const DomainChanges& changes :
       {DomainChanges{.enabled = false}, DomainChanges{.services = {{"imap"}}}}) {
    Set(changes);
    EXPECT_EQ(LogIn("PLAIN", "boss", "alice@example.org").granted(), nullptr);
    std::vector<std::string> any;
    Set({.enabled = true, .services = any});
  }
  EXPECT_NE(LogIn("PLAIN", "boss", "alice@example.org").granted(), nullptr);
}

TEST_F(DomainRules, ADomainThatCannotBeReadIsNoReasonToLetIn) {
  parts.store.FailReads(true);
  EXPECT_NE(LogIn("PLAIN").undecided(), nullptr);
}

}  // namespace
}  // namespace sasld
