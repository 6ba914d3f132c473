// SCRAM with channel binding (RFC 5056) through the exchange: who is offered it, who must use it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/auth/client.h"

namespace sasld {
namespace {

using testing::HasSubstr;

class ScramBinding : public testing::Test {
 protected:
  void SetUp() override { parts.MustCreate("alice", "secret"); }

  static ExchangePolicy With(std::vector<std::string> mechanisms) {
    ExchangePolicy policy;
    policy.mechanisms = std::move(mechanisms);
    return policy;
  }
  // The first step of a client that sends this flag.
  StepResult First(const char* mechanism, std::string gs2_flag, bool can_bind) {
    Client client{mechanism, "alice", "secret", "", std::move(gs2_flag)};
    StepInput input = StepOf(client, client.First());
    input.facts.can_bind = can_bind;
    return parts.Step(std::move(input));
  }
  static bool GoesOn(const StepResult& result) {
    return std::holds_alternative<ContinueWith>(result);
  }
  void ExpectMismatch(const StepResult& result) {
    ASSERT_TRUE(std::holds_alternative<Refused>(result)) << "variant " << result.index();
    EXPECT_EQ(std::get<Refused>(result).refusal, Refusal::kAuthenticationFailed);
    EXPECT_THAT(parts.log_text.str(), HasSubstr("reason=binding-mismatch"));
    parts.log_text.str("");
  }

  Parts parts{{1, 64, 64}, With({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1"})};
};

TEST_F(ScramBinding, PlusIsThereOnlyWhereDataCanBeHad) {
  EXPECT_TRUE(GoesOn(First("SCRAM-SHA-256-PLUS", "p=tls-exporter", true)));
  const StepResult result = First("SCRAM-SHA-256-PLUS", "p=tls-exporter", false);
  ASSERT_TRUE(std::holds_alternative<Refused>(result));
  EXPECT_EQ(std::get<Refused>(result).refusal, Refusal::kMechanismUnavailable);
  ConnectionFacts facts;
  EXPECT_EQ(parts.exchange.Offered(&facts).size(), 2u);
  EXPECT_EQ(parts.exchange.Offered(nullptr).size(), 2u);
  facts.can_bind = true;
  EXPECT_EQ(parts.exchange.Offered(&facts).size(), 3u);
}

TEST_F(ScramBinding, TellsWhichDataTheNextStepNeeds) {
  for (const char* type : {"tls-exporter", "tls-server-end-point", "tls-unique"}) {
    const StepResult first = First("SCRAM-SHA-256-PLUS", std::string("p=") + type, true);
    EXPECT_EQ(std::get<ContinueWith>(first).channel_binding_type, type);
  }
  EXPECT_EQ(std::get<ContinueWith>(First("SCRAM-SHA-256", "n", true)).channel_binding_type, "");
}

TEST_F(ScramBinding, DataThatDifferAreRefused) {
  const Client client{"SCRAM-SHA-256-PLUS", "alice", "secret"};
  const auto changed = [&](std::vector<ChannelBinding> bindings) {
    Dialogue dialogue = PlayToTheLastStep(parts, client);
    dialogue.last.facts.channel_bindings = std::move(bindings);
    return parts.Step(dialogue.last);
  };
  const std::string& data = client.binding_data;
  EXPECT_TRUE(std::holds_alternative<Granted>(changed({{"tls-exporter", data}})));
  ExpectMismatch(changed({{"tls-exporter", "of the man in the middle"}}));
  ExpectMismatch(changed({{"tls-exporter", data + '\0'}}));
  ExpectMismatch(changed({{"tls-unique", data}}));
  ExpectMismatch(changed({{"tls-exporter", ""}}));
  ExpectMismatch(changed({}));
}

// RFC 5802 section 6: "y" says that the server does not offer -PLUS. Where it does, somebody took
// it out of the list.
TEST_F(ScramBinding, AClientThatDidNotSeeOurOfferIsRefused) {
  ExpectMismatch(First("SCRAM-SHA-256", "y", true));
  EXPECT_TRUE(GoesOn(First("SCRAM-SHA-256", "n", true)));
  // No data here, so it was not offered.
  EXPECT_TRUE(GoesOn(First("SCRAM-SHA-256", "y", false)));
  // -PLUS of this hash is off.
  EXPECT_TRUE(GoesOn(First("SCRAM-SHA-1", "y", true)));
  parts.exchange.Adopt(With({"SCRAM-SHA-256"}));
  EXPECT_TRUE(GoesOn(First("SCRAM-SHA-256", "y", true)));
}

// What a man in the middle would do with a client's message for -PLUS.
TEST_F(ScramBinding, PlusCannotBeHadWithoutBinding) {
  for (const char* flag : {"n", "y"}) {
    const StepResult result = First("SCRAM-SHA-256-PLUS", flag, true);
    ASSERT_TRUE(std::holds_alternative<Refused>(result));
    EXPECT_EQ(std::get<Refused>(result).refusal, Refusal::kMalformed);
  }
  EXPECT_TRUE(std::holds_alternative<Refused>(First("SCRAM-SHA-256", "p=tls-exporter", true)));
  EXPECT_TRUE(std::holds_alternative<Refused>(First("SCRAM-SHA-256-PLUS", "p=nonsense", true)));
}

}  // namespace
}  // namespace sasld
