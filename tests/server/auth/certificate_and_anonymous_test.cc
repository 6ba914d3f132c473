// EXTERNAL and ANONYMOUS through the exchange: logins without a password.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/auth/client.h"

namespace sasld {
namespace {

using testing::HasSubstr;
using testing::Not;

class WithoutPassword : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"alice@example.org", "boss", "carol"}) {
      parts.MustCreate(name, "secret");
    }
  }
  static Username Name(std::string_view name) { return Username::Prepare(name).value(); }
  StepResult External(std::string authzid, std::optional<ClientCertificate> certificate) {
    StepInput input = StepOf({"EXTERNAL", "", "", ""}, std::move(authzid));
    input.facts.certificate = std::move(certificate);
    return parts.Step(std::move(input));
  }
  static ClientCertificate Of(std::string email) {
    return {std::string(32, 'f'), "", {std::move(email)}, ""};
  }
  StepResult Anonymous(std::string trace) {
    return parts.Step(StepOf({"ANONYMOUS", "", ""}, std::move(trace)));
  }
  static std::string AuthzidOf(const StepResult& result) {
    const auto* granted = std::get_if<Granted>(&result);
    return granted ? granted->authcid + " as " + granted->authzid : "not granted";
  }
  void ExpectRefused(const StepResult& result, std::string_view reason) {
    ASSERT_TRUE(std::holds_alternative<Refused>(result)) << "variant " << result.index();
    EXPECT_EQ(std::get<Refused>(result).refusal, Refusal::kAuthenticationFailed);
    EXPECT_EQ(std::get<Refused>(result).not_before, kNow + absl::Seconds(2));
    EXPECT_THAT(parts.log_text.str(), HasSubstr("reason=" + std::string(reason)));
    parts.log_text.str("");
  }

  Parts parts{{1, 64, 64}, EveryMechanism()};
};

TEST_F(WithoutPassword, ACertificateLetsItsAccountIn) {
  EXPECT_EQ(AuthzidOf(External("", Of("Alice@Example.org"))),
            "alice@example.org as alice@example.org");
  EXPECT_EQ(AuthzidOf(External("alice@example.org", Of("alice@example.org"))),
            "alice@example.org as alice@example.org");
  // A client that waits for the server's (empty) challenge.
  Client client{"EXTERNAL", "", ""};
  const StepResult first = parts.Step(StepOf(client, std::nullopt));
  ASSERT_TRUE(std::holds_alternative<ContinueWith>(first));
  EXPECT_EQ(std::get<ContinueWith>(first).data, "");
  const StepResult second =
      parts.Step(StepOf(client, "", std::get<ContinueWith>(first).sealed_state));
  EXPECT_EQ(AuthzidOf(second), "alice@example.org as alice@example.org");
}

TEST_F(WithoutPassword, ACertificateOfNobodyIsRefused) {
  ExpectRefused(External("", Of("nobody@example.org")), "not-authorized");
  ExpectRefused(External("", Of("")), "bad-credentials");
  ExpectRefused(External("", Of("alice@example.org\x01")), "bad-credentials");
  ASSERT_TRUE(parts.accounts.SetEnabled("alice@example.org", false).ok());
  ExpectRefused(External("", Of("alice@example.org")), "disabled");
}

TEST_F(WithoutPassword, WithoutACertificateExternalIsNotThere) {
  const StepResult result = External("alice@example.org", std::nullopt);
  ASSERT_TRUE(std::holds_alternative<Refused>(result));
  EXPECT_EQ(std::get<Refused>(result).refusal, Refusal::kMechanismUnavailable);
  const auto offers_external = [this](const ConnectionFacts* facts) {
    for (const RegisteredMechanism* mechanism : parts.exchange.Offered(facts)) {
      if (mechanism->name == "EXTERNAL") return true;
    }
    return false;
  };
  ConnectionFacts facts;
  EXPECT_FALSE(offers_external(nullptr));
  EXPECT_FALSE(offers_external(&facts));
  facts.certificate.emplace();
  EXPECT_TRUE(offers_external(&facts));
}

TEST_F(WithoutPassword, ACertificateActsForOthersOnlyByPermission) {
  ExpectRefused(External("carol", Of("alice@example.org")), "not-authorized");
  EXPECT_EQ(AuthzidOf(External("carol", Of("boss"))), "boss as carol");
  ExpectRefused(External("nobody", Of("boss")), "not-authorized");
}

TEST_F(WithoutPassword, PinnedCertificatesAreTheirAccounts) {
  ExchangePolicy policy = EveryMechanism();
  policy.certificates.accounts.emplace(std::string(32, 'f'), Name("carol"));
  parts.exchange.Adopt(policy);
  EXPECT_EQ(AuthzidOf(External("", Of("alice@example.org"))), "carol as carol");
}

TEST_F(WithoutPassword, AnonymousIsToldAsSuchAndTraced) {
  const StepResult result = Anonymous("Sir\u00adhc");
  ASSERT_TRUE(std::holds_alternative<Granted>(result));
  const Granted& granted = std::get<Granted>(result);
  EXPECT_TRUE(granted.anonymous);
  EXPECT_EQ(granted.authcid, "anonymous");
  EXPECT_EQ(granted.authzid, "anonymous");
  EXPECT_FALSE(granted.data.has_value());
  EXPECT_THAT(parts.log_text.str(), HasSubstr("auth result=success mechanism=ANONYMOUS "
                                              "user=\"anonymous\""));
  EXPECT_THAT(parts.log_text.str(), HasSubstr(" trace=\"Sirhc\"\n"));
  parts.log_text.str("");
  Anonymous("");
  EXPECT_THAT(parts.log_text.str(), Not(HasSubstr("trace=")));
  // A password login is none.
  const Dialogue plain = Play(parts, {"PLAIN", "carol", "secret"});
  EXPECT_FALSE(plain.granted()->anonymous);
}

TEST_F(WithoutPassword, ALongTraceIsCutBetweenItsCharacters) {
  std::string trace = "x";
  for (int i = 0; i < 200; ++i) trace += "\u20ac";
  Anonymous(trace);
  const std::string log = parts.log_text.str();
  const size_t begin = log.find("trace=\"") + 7;
  const std::string logged = log.substr(begin, log.find('"', begin) - begin);
  EXPECT_GT(logged.size(), 200u);
  EXPECT_LE(logged.size(), 300u);
  EXPECT_EQ(logged.size() % 3, 1u) << "half a character";
  EXPECT_TRUE(trace.starts_with(logged));
}

TEST_F(WithoutPassword, AnonymousIsNobodysAccount) {
  parts.MustCreate("anonymous", "secret");
  ExpectRefused(Anonymous("x"), "not-authorized");
  // Though it may not log in.
  ASSERT_TRUE(parts.accounts.SetEnabled("anonymous", false).ok());
  ExpectRefused(Anonymous("x"), "not-authorized");
  parts.store.FailReads(true);
  EXPECT_TRUE(std::holds_alternative<Undecided>(Anonymous("x")));
  parts.store.FailReads(false);
  ASSERT_TRUE(parts.accounts.Remove("anonymous").ok());
  EXPECT_TRUE(std::holds_alternative<Granted>(Anonymous("x")));
}

TEST_F(WithoutPassword, NobodyElseBecomesAnonymous) {
  const Dialogue boss = Play(parts, {"PLAIN", "boss", "secret", "anonymous"});
  EXPECT_NE(boss.refused(), nullptr);
  EXPECT_NE(Play(parts, {"PLAIN", "anonymous", "secret"}).refused(), nullptr);
}

TEST_F(WithoutPassword, AnonymousWithoutAnAccountIsRefused) {
  ExchangePolicy policy = EveryMechanism();
  policy.anonymous.reset();
  parts.exchange.Adopt(policy);
  ExpectRefused(Anonymous("x"), "not-authorized");
}

}  // namespace
}  // namespace sasld
