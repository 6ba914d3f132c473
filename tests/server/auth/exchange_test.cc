#include "server/auth/exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/auth/busy_thread.h"
#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kPlainAlice[] = "\0alice\0secret";
Refusal RefusalOf(const StepResult& result) {
  const auto* refused = std::get_if<Refused>(&result);
  EXPECT_NE(refused, nullptr) << "not refused, but variant " << result.index();
  return refused ? refused->refusal : Refusal::kMalformed;
}

TEST(Exchange, LetsTheRightPasswordIn) {
  Parts parts;
  parts.MustCreate("alice", "secret");
  const StepResult result =
      parts.Step(FirstStep("PLAIN", std::string(kPlainAlice, sizeof kPlainAlice - 1)));
  const auto* granted = std::get_if<Granted>(&result);
  ASSERT_NE(granted, nullptr);
  EXPECT_EQ(granted->authcid, "alice");
  EXPECT_EQ(granted->authzid, "alice");
  EXPECT_FALSE(granted->data.has_value());
}

TEST(Exchange, TellsNothingOfWhatWasWrong) {
  Parts parts;
  parts.MustCreate("alice", "secret");
  const StepResult wrong = parts.Step(FirstStep("PLAIN", PlainMessage("", "alice", "nope")));
  const StepResult unknown = parts.Step(FirstStep("PLAIN", PlainMessage("", "nobody", "nope")));
  EXPECT_EQ(RefusalOf(wrong), Refusal::kAuthenticationFailed);
  EXPECT_EQ(RefusalOf(unknown), Refusal::kAuthenticationFailed);
  EXPECT_EQ(std::get<Refused>(wrong).authcid, "alice");
  EXPECT_EQ(std::get<Refused>(unknown).authcid, "nobody");
  EXPECT_EQ(std::get<Refused>(wrong).not_before, std::get<Refused>(unknown).not_before);
}

TEST(Exchange, RefusalsLeaveAtOneTimeWhateverTheWorkTook) {
  Parts parts;
  parts.MustCreate("alice", "secret");
  const StepResult wrong = parts.Step(FirstStep("PLAIN", PlainMessage("", "alice", "nope")));
  const StepResult malformed = parts.Step(FirstStep("PLAIN", "no nul"));
  EXPECT_EQ(std::get<Refused>(wrong).not_before, kNow + absl::Seconds(2));
  EXPECT_EQ(std::get<Refused>(malformed).not_before, kNow + absl::Seconds(2));
}

TEST(Exchange, DecodesBase64Strictly) {
  Parts parts;
  parts.MustCreate("alice", "secret");
  StepInput input = FirstStep("PLAIN", "");
  input.response = StepInput::Base64{"AGFsaWNlAHNlY3JldA=="};
  EXPECT_TRUE(std::holds_alternative<Granted>(parts.Step(std::move(input))));
  input = FirstStep("PLAIN", "");
  input.response = StepInput::Base64{"AGFsaWNlAHNlY3JldA"};
  const StepResult result = parts.Step(std::move(input));
  EXPECT_EQ(RefusalOf(result), Refusal::kInvalidBase64);
  EXPECT_EQ(std::get<Refused>(result).not_before, kNow);
}

TEST(Exchange, LoginGoesThroughItsPrompts) {
  Parts parts;
  parts.MustCreate("alice", "secret");
  StepInput start = FirstStep("login", "");
  start.response = std::monostate();
  const StepResult first = parts.Step(std::move(start));
  EXPECT_EQ(std::get<ContinueWith>(first).data, "Username:");
  const StepResult second = parts.Step(NextStep("login", first, "Alice"));
  EXPECT_EQ(std::get<ContinueWith>(second).data, "Password:");
  EXPECT_TRUE(std::holds_alternative<Granted>(parts.Step(NextStep("LOGIN", second, "secret"))));
}

class ScramExchange : public testing::Test {
 protected:
  void SetUp() override { parts.MustCreate("alice", "secret"); }
  StepResult ClientFirst(std::string_view name = "alice") {
    bare = "n=" + std::string(name) + ",r=fyko+d2lbbFgONRv9qkxdawL";
    return parts.Step(FirstStep("SCRAM-SHA-256", "n,," + bare));
  }
  StepInput ClientFinal(const StepResult& first, std::string_view password = "secret") {
    return NextStep("SCRAM-SHA-256", first,
                    ScramClientFinal(password, bare, std::get<ContinueWith>(first).data));
  }
  Parts parts;
  std::string bare;
};

TEST_F(ScramExchange, LetsTheRightProofIn) {
  const StepResult first = ClientFirst();
  const StepResult result = parts.Step(ClientFinal(first));
  ASSERT_TRUE(std::holds_alternative<Granted>(result));
  EXPECT_TRUE(std::get<Granted>(result).data->starts_with("v="));
}

TEST_F(ScramExchange, RefusesAWrongProof) {
  EXPECT_EQ(RefusalOf(parts.Step(ClientFinal(ClientFirst(), "wrong"))),
            Refusal::kAuthenticationFailed);
}

TEST_F(ScramExchange, UnknownUsersGetTheSameSaltEachTime) {
  const auto salt = [](const StepResult& result) {
    const std::string& data = std::get<ContinueWith>(result).data;
    return data.substr(data.find(",s="));
  };
  const std::string once = salt(ClientFirst("nobody"));
  EXPECT_EQ(once, salt(ClientFirst("nobody")));
  EXPECT_EQ(once, salt(ClientFirst("NoBody")));
  EXPECT_NE(once, salt(ClientFirst("nobody2")));
  EXPECT_EQ(once.size(), salt(ClientFirst("alice")).size());
  EXPECT_EQ(RefusalOf(parts.Step(ClientFinal(ClientFirst("nobody")))),
            Refusal::kAuthenticationFailed);
}

TEST_F(ScramExchange, AnotherReplicaTakesTheNextStep) {
  const StepResult first = ClientFirst();
  const StateSealer other_sealer(Secret(std::string(32, 'k')), std::string(kStateSaltBytes, 'z'));
  Exchange other(Parts::DefaultPolicy(), parts.directory, parts.answers, other_sealer,
                 parts.entropy, parts.audit, parts.throttle, parts.last_uses);
  std::optional<StepResult> result;
  other.Step(ClientFinal(first), kNow, [&](StepResult given) { result = std::move(given); });
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(std::holds_alternative<Granted>(*result));
}

TEST_F(ScramExchange, RefusesAPasswordChangedBetweenTheSteps) {
  const StepResult first = ClientFirst();
  StepInput final_step = ClientFinal(first);
  ASSERT_TRUE(parts.accounts.SetPassword("alice", "secret", kNow).ok());
  EXPECT_EQ(RefusalOf(parts.Step(std::move(final_step))), Refusal::kAuthenticationFailed);
  EXPECT_THAT(parts.log_text.str(), HasSubstr("reason=credential-changed"));
}

TEST_F(ScramExchange, RefusesADisabledAccountWhateverTheProof) {
  ASSERT_TRUE(parts.accounts.SetEnabled("alice", false).ok());
  EXPECT_EQ(RefusalOf(parts.Step(ClientFinal(ClientFirst()))), Refusal::kAuthenticationFailed);
  EXPECT_THAT(parts.log_text.str(), HasSubstr("reason=disabled"));
}

TEST_F(ScramExchange, RefusesAnAccountDisabledBetweenTheSteps) {
  const StepResult first = ClientFirst();
  ASSERT_TRUE(parts.accounts.SetEnabled("alice", false).ok());
  EXPECT_EQ(RefusalOf(parts.Step(ClientFinal(first))), Refusal::kAuthenticationFailed);
}

TEST_F(ScramExchange, StateExpires) {
  const StepResult first = ClientFirst();
  EXPECT_EQ(RefusalOf(parts.Step(ClientFinal(first), kNow + absl::Seconds(121))),
            Refusal::kAuthenticationFailed);
  EXPECT_TRUE(
      std::holds_alternative<Granted>(parts.Step(ClientFinal(first), kNow + absl::Seconds(119))));
}

TEST_F(ScramExchange, StateIsBoundToMechanismAndConnection) {
  const StepResult first = ClientFirst();
  const auto changed = [&](auto change) {
    StepInput input = ClientFinal(first);
    change(input);
    return RefusalOf(parts.Step(std::move(input)));
  };
  const Refusal failed = Refusal::kAuthenticationFailed;
  EXPECT_EQ(changed([](StepInput& input) { input.mechanism = "PLAIN"; }), failed);
  EXPECT_EQ(changed([](StepInput& input) { input.facts.service = "imap"; }), failed);
  EXPECT_EQ(changed([](StepInput& input) { input.facts.remote_ip = "192.0.2.8"; }), failed);
  EXPECT_EQ(changed([](StepInput& input) { input.facts.local_ip = "192.0.2.8"; }), failed);
  EXPECT_EQ(changed([](StepInput& input) { input.facts.remote_port = 1; }), failed);
  EXPECT_EQ(changed([](StepInput& input) { input.facts.local_port = 1; }), failed);
  EXPECT_EQ(changed([](StepInput& input) { input.facts.secured = false; }), failed);
  EXPECT_EQ(changed([](StepInput& input) { input.state.back() ^= 1; }), failed);
}

TEST(Exchange, RefusesMechanismsThatAreOff) {
  ExchangePolicy policy = Parts::DefaultPolicy();
  policy.mechanisms = {"PLAIN"};
  Parts parts({1, 64, 64}, policy);
  EXPECT_EQ(RefusalOf(parts.Step(FirstStep("SCRAM-SHA-256", "n,,n=a,r=b"))),
            Refusal::kMechanismUnavailable);
  EXPECT_EQ(RefusalOf(parts.Step(FirstStep("NONSENSE", ""))), Refusal::kMechanismUnavailable);
}

TEST(Exchange, PlaintextNeedsASecuredConnection) {
  Parts parts;
  parts.MustCreate("alice", "secret");
  const auto from = [&](std::string remote_ip, bool secured) {
    StepInput input = FirstStep("PLAIN", PlainMessage("", "alice", "secret"));
    input.facts.remote_ip = std::move(remote_ip);
    input.facts.secured = secured;
    return parts.Step(std::move(input));
  };
  EXPECT_EQ(RefusalOf(from("192.0.2.7", false)), Refusal::kEncryptionRequired);
  EXPECT_TRUE(std::holds_alternative<Granted>(from("192.0.2.7", true)));
  for (const char* local :
       {"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "198.51.100.1", ""}) {
    EXPECT_TRUE(std::holds_alternative<Granted>(from(local, false))) << local;
  }
  for (const char* remote : {"127.example.org", "127.0.0.1.example.org", "1270::1"}) {
    EXPECT_EQ(RefusalOf(from(remote, false)), Refusal::kEncryptionRequired) << remote;
  }
  ExchangePolicy always = Parts::DefaultPolicy();
  always.plaintext = PlaintextRule::kAlways;
  parts.exchange.Adopt(always);
  EXPECT_TRUE(std::holds_alternative<Granted>(from("192.0.2.7", false)));
}

TEST(Exchange, OffersWhatWorksForTheCaller) {
  Parts parts;
  ConnectionFacts facts;
  facts.remote_ip = "192.0.2.7";
  EXPECT_EQ(parts.exchange.Offered(nullptr).size(), 3u);
  EXPECT_EQ(parts.exchange.Offered(&facts).size(), 1u);
  facts.secured = true;
  EXPECT_EQ(parts.exchange.Offered(&facts).size(), 3u);
}

TEST(Exchange, DisabledLooksLikeAWrongPassword) {
  Parts parts;
  parts.MustCreate("alice", "secret");
  ASSERT_TRUE(parts.accounts.SetEnabled("alice", false).ok());
  const StepResult disabled = parts.Step(FirstStep("PLAIN", PlainMessage("", "alice", "secret")));
  const StepResult wrong = parts.Step(FirstStep("PLAIN", PlainMessage("", "alice", "wrong")));
  EXPECT_EQ(RefusalOf(disabled), RefusalOf(wrong));
  EXPECT_THAT(parts.log_text.str(), HasSubstr("reason=disabled"));
  ASSERT_TRUE(parts.accounts.SetEnabled("alice", true).ok());
  EXPECT_TRUE(std::holds_alternative<Granted>(
      parts.Step(FirstStep("PLAIN", PlainMessage("", "alice", "secret")))));
}

TEST(Exchange, ActsForOthersOnlyByPermission) {
  ExchangePolicy policy = Parts::DefaultPolicy();
  policy.proxies = {Username::Prepare("boss").value()};
  Parts parts({1, 64, 64}, policy);
  for (const char* name : {"alice", "boss"}) parts.MustCreate(name, "secret");
  const auto as = [&](std::string_view authzid, std::string_view authcid) {
    return parts.Step(FirstStep("PLAIN", PlainMessage(authzid, authcid, "secret")));
  };
  EXPECT_TRUE(std::holds_alternative<Granted>(as("Alice", "alice")));
  EXPECT_EQ(RefusalOf(as("boss", "alice")), Refusal::kAuthenticationFailed);
  const StepResult boss = as("alice", "boss");
  ASSERT_TRUE(std::holds_alternative<Granted>(boss));
  EXPECT_EQ(std::get<Granted>(boss).authcid, "boss");
  EXPECT_EQ(std::get<Granted>(boss).authzid, "alice");
  EXPECT_EQ(RefusalOf(as("nobody", "boss")), Refusal::kAuthenticationFailed);
  ASSERT_TRUE(parts.accounts.SetEnabled("alice", false).ok());
  EXPECT_EQ(RefusalOf(as("alice", "boss")), Refusal::kAuthenticationFailed);
}

TEST(Exchange, AStoreThatCannotBeReadIsTemporary) {
  Parts parts;
  parts.MustCreate("alice", "secret");
  parts.store.FailReads(true);
  for (const char* mechanism : {"PLAIN", "SCRAM-SHA-256"}) {
    const std::string message = mechanism == std::string_view("PLAIN")
                                    ? PlainMessage("", "alice", "wrong")
                                    : "n,,n=alice,r=abc";
    const StepResult result = parts.Step(FirstStep(mechanism, message));
    ASSERT_TRUE(std::holds_alternative<Undecided>(result));
    EXPECT_TRUE(std::get<Undecided>(result).retry_elsewhere);
  }
  EXPECT_EQ(parts.audit.counts().undecided, 2u);
}

TEST(Exchange, AFullLaneIsTemporaryAtOnce) {
  Parts parts({1, 1, 1});
  parts.MustCreate("alice", "secret");
  const BusyThread busy(parts.lane);
  ASSERT_TRUE(parts.lane.Submit("x", absl::InfiniteFuture(), [](Lane::Turn) {}).ok());
  const StepResult result = parts.Step(FirstStep("PLAIN", PlainMessage("", "alice", "secret")));
  ASSERT_TRUE(std::holds_alternative<Undecided>(result));
  EXPECT_TRUE(std::get<Undecided>(result).retry_elsewhere);
}

TEST(Exchange, WhoeverHasGoneIsNotHashedFor) {
  Parts parts;
  parts.MustCreate("alice", "secret");
  StepInput input = FirstStep("PLAIN", PlainMessage("", "alice", "secret"));
  input.caller_gone = std::make_shared<const std::atomic<bool>>(true);
  EXPECT_TRUE(std::holds_alternative<Undecided>(parts.Step(std::move(input))));
  input = FirstStep("PLAIN", PlainMessage("", "alice", "secret"));
  input.deadline = absl::InfinitePast();
  const StepResult late = parts.Step(std::move(input));
  ASSERT_TRUE(std::holds_alternative<Undecided>(late));
  EXPECT_TRUE(std::get<Undecided>(late).retry_elsewhere);
}

TEST(Exchange, AuditsEachEndOnceAndNoSecret) {
  Parts parts;
  parts.MustCreate("alice", "hunter2");
  parts.Step(FirstStep("PLAIN", PlainMessage("", "alice", "hunter2")));
  parts.Step(FirstStep("PLAIN", PlainMessage("", "alice", "hunter3")));
  parts.Step(FirstStep("PLAIN", PlainMessage("", "al\"ice\n", "hunter3")));
  EXPECT_EQ(parts.audit.counts().granted, 1u);
  EXPECT_EQ(parts.audit.counts().refused, 2u);
  EXPECT_THAT(parts.log_text.str(), HasSubstr("user=\"alice\""));
  EXPECT_THAT(parts.log_text.str(), HasSubstr("remote_ip=192.0.2.7"));
  EXPECT_THAT(parts.log_text.str(), Not(HasSubstr("hunter")));
}

TEST(Exchange, PasswordsOfManyThreadsStopWorkingTheMomentTheyAreChanged) {
  Parts parts({2, 256, 256});
  parts.MustCreate("alice", "old");
  std::atomic<bool> changed = false;
  std::atomic<int> late_successes = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      for (int attempt = 0; attempt < 50; ++attempt) {
        const bool was_changed = changed.load();
        const StepResult result = parts.Step(FirstStep("PLAIN", PlainMessage("", "alice", "old")));
        if (was_changed && std::holds_alternative<Granted>(result)) ++late_successes;
      }
    });
  }
  ASSERT_TRUE(parts.accounts.SetPassword("alice", "new", kNow).ok());
  changed = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(late_successes.load(), 0);
}

}  // namespace
}  // namespace sasld
