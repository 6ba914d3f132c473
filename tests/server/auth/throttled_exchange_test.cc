// Where the throttle stands in the order of policy, and what it learns of an exchange.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "tests/server/auth/client.h"

namespace sasld {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kPeerText[] = "too many failed logins from this address";
constexpr char kAccountText[] = "too many failed logins of this account";
constexpr char kHome[] = "192.0.2.7";

// "granted", "challenge", "refused 0", or what an undecided one says.
std::string Summary(const StepResult& result) {
  if (std::holds_alternative<Granted>(result)) return "granted";
  if (std::holds_alternative<ContinueWith>(result)) return "challenge";
  if (const auto* undecided = std::get_if<Undecided>(&result)) return std::string(undecided->text);
  return "refused " + std::to_string(static_cast<int>(std::get<Refused>(result).refusal));
}
const std::string kWrong = "refused 0";  // Refusal::kAuthenticationFailed

class ThrottledExchange : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"alice", "boss"}) parts.MustCreate(name, "secret");
  }

  static ExchangePolicy Policy(uint32_t peer_failures, uint32_t account_failures) {
    ExchangePolicy policy = EveryMechanism();
    policy.throttle.peer_failures = peer_failures;
    policy.throttle.account_failures = account_failures;
    policy.throttle.window = absl::Seconds(60);
    return policy;
  }
  void Allow(uint32_t peer_failures, uint32_t account_failures) {
    parts.exchange.Adopt(Policy(peer_failures, account_failures));
  }

  // One step that is to be answered at once, without the lane.
  StepResult InPlace(StepInput input, absl::Time now = kNow) {
    struct Answer {
      StepResult result = Undecided{"on the lane", false};
      absl::Notification given;
    };
    // Shared with the lane, should it go that way.
    auto answer = std::make_shared<Answer>();
    parts.exchange.Step(std::move(input), now, [answer](StepResult result) {
      answer->result = std::move(result);
      answer->given.Notify();
    });
    if (!answer->given.HasBeenNotified()) return Undecided{"on the lane", false};
    return std::move(answer->result);
  }

  static StepInput From(std::string_view ip, StepInput input) {
    input.facts.remote_ip = std::string(ip);
    return input;
  }
  static StepInput PlainStep(std::string_view ip, std::string_view name, std::string_view password,
                             std::string_view authzid = "") {
    return From(ip, FirstStep("PLAIN", PlainMessage(authzid, name, password)));
  }
  std::string Plain(std::string_view ip, std::string_view name, std::string_view password,
                    absl::Time now = kNow) {
    return Summary(parts.Step(PlainStep(ip, name, password), now));
  }
  // To its last step, or to where it ends before.
  std::string Scram(std::string_view ip, const std::string& name, std::string_view password) {
    const StepResult first = ScramFirst(ip, name);
    if (!std::holds_alternative<ContinueWith>(first)) return Summary(first);
    return Summary(parts.Step(ScramFinal(ip, name, password, first)));
  }
  StepResult ScramFirst(std::string_view ip, const std::string& name) {
    return parts.Step(From(ip, FirstStep("SCRAM-SHA-256", "n,,n=" + name + ",r=abcdefgh")));
  }
  static StepInput ScramFinal(std::string_view ip, const std::string& name,
                              std::string_view password, const StepResult& first) {
    const std::string& server_first = std::get<ContinueWith>(first).data;
    return From(ip,
                NextStep("SCRAM-SHA-256", first,
                         ScramClientFinal(password, "n=" + name + ",r=abcdefgh", server_first)));
  }
  // By strangers, each with one failure.
  void GuessAt(std::string_view name, int times) {
    for (int i = 0; i < times; ++i) {
      ASSERT_EQ(Plain("203.0.113." + std::to_string(i), name, "guess"), kWrong);
    }
  }

  Parts parts{{1, 64, 64}, Policy(3, 3)};
};

TEST_F(ThrottledExchange, APeerIsThrottledBeforeAnythingElse) {
  Allow(2, 0);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Plain(kHome, "alice", "wrong"), kWrong);
  // Whatever it would hear otherwise.
  EXPECT_EQ(Summary(InPlace(PlainStep(kHome, "alice", "secret"))), kPeerText);
  EXPECT_EQ(Summary(InPlace(From(kHome, FirstStep("NONSENSE", "")))), kPeerText);
  EXPECT_EQ(Summary(InPlace(From(kHome, FirstStep("ANONYMOUS", "x")))), kPeerText);
  StepInput input = PlainStep(kHome, "alice", "secret");
  input.facts.secured = false;
  EXPECT_EQ(Summary(InPlace(input)), kPeerText);
  input = PlainStep(kHome, "alice", "secret");
  input.response = StepInput::Base64{"!!!"};
  EXPECT_EQ(Summary(InPlace(input)), kPeerText);
  EXPECT_EQ(Plain("192.0.2.8", "alice", "secret"), "granted");
}

TEST_F(ThrottledExchange, AnAccountIsThrottledWhenItsNameIsKnown) {
  Allow(0, 3);
  GuessAt("alice", 3);
  // Reading would fail, and hashing would not be in place.
  parts.store.FailReads(true);
  for (const RegisteredMechanism& mechanism : AllMechanisms()) {
    if (!LooksUserUp(mechanism)) continue;
    Client client{mechanism.name, "alice", "secret"};
    StepInput step = StepOf(client, client.First());
    StepResult result = InPlace(step);
    int challenges = 0;
    while (const auto* next = std::get_if<ContinueWith>(&result)) {
      ++challenges;
      result = InPlace(StepOf(client, client.Answer(next->data), next->sealed_state));
    }
    EXPECT_EQ(Summary(result), kAccountText) << mechanism.name;
    const int before_its_name = mechanism.name == "LOGIN"      ? 2
                                : ServerSpeaksFirst(mechanism) ? 1
                                                               : 0;
    EXPECT_EQ(challenges, before_its_name) << mechanism.name;
  }
}

TEST_F(ThrottledExchange, SoAreCertificates) {
  Allow(0, 3);
  GuessAt("alice@example.org", 3);
  parts.store.FailReads(true);
  const Client client{"EXTERNAL", "", ""};
  EXPECT_EQ(Summary(InPlace(StepOf(client, ""))), kAccountText);
}

TEST_F(ThrottledExchange, TheOwnerGetsInWhileStrangersDoNot) {
  Allow(0, 3);
  ASSERT_EQ(Plain(kHome, "alice", "secret"), "granted");
  ASSERT_EQ(Scram("2001:db8:1:2::3", "alice", "secret"), "granted");
  GuessAt("alice", 3);
  EXPECT_EQ(Plain("203.0.113.9", "alice", "secret"), kAccountText);
  EXPECT_EQ(Scram("203.0.113.9", "alice", "secret"), kAccountText);
  EXPECT_EQ(Plain("", "alice", "secret"), kAccountText);
  for (const char* ip : {kHome, "2001:db8:1:2::4"}) {
    EXPECT_EQ(Plain(ip, "Alice", "secret"), "granted");
    EXPECT_EQ(Scram(ip, "ALICE", "secret"), "granted");
    EXPECT_EQ(Plain(ip, "alice", "wrong"), kWrong);
  }
  EXPECT_EQ(Plain("203.0.113.9", "boss", "secret"), "granted");
}

// Known is who proved to have the password; authzid is only whom it acts for.
TEST_F(ThrottledExchange, WhoActsForAnotherIsKnownByItsOwnName) {
  Allow(0, 3);
  ASSERT_EQ(Summary(parts.Step(PlainStep(kHome, "boss", "secret", "alice"))), "granted");
  GuessAt("boss", 3);
  GuessAt("alice", 3);
  EXPECT_EQ(Plain(kHome, "boss", "secret"), "granted");
  EXPECT_EQ(Plain(kHome, "alice", "secret"), kAccountText);
}

// A phone with the old password.
TEST_F(ThrottledExchange, AKnownPeersFailuresLockOutNobodyElse) {
  Allow(10, 3);
  ASSERT_EQ(Plain(kHome, "alice", "secret"), "granted");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Plain(kHome, "alice", "old"), kWrong);
  EXPECT_EQ(Plain(kHome, "alice", "secret"), kPeerText);
  EXPECT_EQ(Plain("203.0.113.9", "alice", "secret"), "granted");
}

TEST_F(ThrottledExchange, TellsNothingOfWhoThereIs) {
  const auto heard = [](const std::string& name) {
    Parts fresh({1, 64, 64}, Policy(4, 3));
    fresh.MustCreate("alice", "secret");
    std::string all;
    for (int i = 0; i < 8; ++i) {
      const std::string ip = "203.0.113." + std::to_string(i / 2);
      all += Summary(fresh.Step(PlainStep(ip, name, "guess"))) + "\n";
      all += Summary(
                 fresh.Step(From(ip, FirstStep("SCRAM-SHA-256", "n,,n=" + name + ",r=abcdefgh")))) +
             "\n";
    }
    std::string log = fresh.log_text.str();
    return std::pair(all, static_cast<int>(std::count(log.begin(), log.end(), '\n')));
  };
  EXPECT_EQ(heard("alice"), heard("nobody"));
  EXPECT_THAT(heard("nobody").first, HasSubstr(kAccountText));
}

TEST_F(ThrottledExchange, AFailedExchangeCountsOnceForAllItsSteps) {
  Allow(2, 0);
  EXPECT_EQ(Scram(kHome, "alice", "wrong"), kWrong);
  EXPECT_EQ(Scram(kHome, "alice", "wrong"), kWrong);
  EXPECT_EQ(Scram(kHome, "alice", "secret"), kPeerText);
  Allow(0, 2);
  EXPECT_EQ(Scram("203.0.113.1", "boss", "wrong"), kWrong);
  EXPECT_EQ(Scram("203.0.113.2", "boss", "wrong"), kWrong);
  EXPECT_EQ(Scram("203.0.113.3", "boss", "secret"), kAccountText);
}

// A challenge costs nobody anything, so many can be had before the first is answered.
TEST_F(ThrottledExchange, ChallengesInStockAreNoMoreGuesses) {
  for (const auto& [peer, account, text] :
       {std::tuple(3, 0, kPeerText), std::tuple(0, 3, kAccountText)}) {
    Parts fresh({1, 64, 64}, Policy(static_cast<uint32_t>(peer), static_cast<uint32_t>(account)));
    fresh.MustCreate("alice", "secret");
    std::vector<StepInput> last_steps;
    for (int i = 0; i < 6; ++i) {
      StepResult first =
          fresh.Step(From(kHome, FirstStep("SCRAM-SHA-256", "n,,n=alice,r=abcdefgh")));
      last_steps.push_back(ScramFinal(kHome, "alice", "guess", first));
    }
    for (int i = 0; i < 6; ++i) {
      EXPECT_EQ(Summary(fresh.Step(last_steps[static_cast<size_t>(i)])), i < 3 ? kWrong : text);
    }
  }
}

TEST_F(ThrottledExchange, OnlyWhatIsHeardAsAWrongPasswordCounts) {
  Allow(1, 1);
  const auto heard = [this](StepInput input) { return Summary(parts.Step(std::move(input))); };
  EXPECT_EQ(heard(From(kHome, FirstStep("PLAIN", "no nul"))), "refused 1");
  EXPECT_EQ(heard(From(kHome, FirstStep("NONSENSE", ""))), "refused 2");
  StepInput open = PlainStep(kHome, "alice", "secret");
  open.facts.secured = false;
  EXPECT_EQ(heard(open), "refused 3");
  StepInput junk = PlainStep(kHome, "alice", "secret");
  junk.response = StepInput::Base64{"!!!"};
  EXPECT_EQ(heard(junk), "refused 4");
  parts.store.FailReads(true);
  EXPECT_THAT(Plain(kHome, "alice", "wrong"), HasSubstr("cannot be read"));
  parts.store.FailReads(false);
  // An answer that comes twice.
  Dialogue twice = PlayToTheLastStep(parts, {"CRAM-MD5", "alice", "secret"});
  ASSERT_EQ(heard(twice.last), "granted");
  EXPECT_THAT(heard(twice.last), HasSubstr("start again"));
  EXPECT_EQ(Plain(kHome, "alice", "secret"), "granted");
  EXPECT_EQ(Plain("203.0.113.9", "alice", "secret"), "granted");
}

TEST_F(ThrottledExchange, AllThatIsHeardAsAWrongPasswordCounts) {
  const std::vector<StepInput> failures = {
      PlainStep(kHome, "alice", "wrong"), PlainStep(kHome, "nobody", "wrong"),
      PlainStep(kHome, "cid", "secret"),            // disabled
      PlainStep(kHome, "alice", "secret", "boss"),  // may not act as boss
      NextStep("SCRAM-SHA-256", ContinueWith{"", "junk"}, "x")};
  for (const StepInput& failure : failures) {
    Parts fresh({1, 64, 64}, Policy(1, 0));
    for (const char* name : {"alice", "boss"}) fresh.MustCreate(name, "secret");
    ASSERT_TRUE(fresh.accounts.Create("cid", "secret", false, kNow).ok());
    ASSERT_EQ(Summary(fresh.Step(failure)), kWrong);
    EXPECT_EQ(Summary(fresh.Step(PlainStep(kHome, "alice", "secret"))), kPeerText)
        << fresh.log_text.str();
  }
}

TEST_F(ThrottledExchange, EndsByItselfHoweverManyCome) {
  Allow(3, 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Plain(kHome, "alice", "wrong"), kWrong);
  for (int second = 0; second < 20; ++second) {
    EXPECT_EQ(Plain(kHome, "alice", "wrong", kNow + absl::Seconds(second)), kPeerText);
  }
  EXPECT_EQ(Plain(kHome, "alice", "secret", kNow + absl::Seconds(21)), "granted");
  Allow(0, 3);
  GuessAt("alice", 3);
  for (int second = 0; second < 20; ++second) {
    EXPECT_EQ(Plain("203.0.113.9", "alice", "wrong", kNow + absl::Seconds(second)), kAccountText);
  }
  EXPECT_EQ(Plain("203.0.113.9", "alice", "secret", kNow + absl::Seconds(21)), "granted");
}

TEST_F(ThrottledExchange, ExemptNetworksAreNoPeers) {
  ExchangePolicy policy = Policy(2, 3);
  policy.throttle.exempt = {*Network::Parse("198.51.100.0/24")};
  parts.exchange.Adopt(policy);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Plain("198.51.100.1", "user" + std::to_string(i), "wrong"), kWrong);
  }
  EXPECT_EQ(Plain("198.51.100.1", "alice", "secret"), "granted");
  // Yet not a place to guess without end from, not even where the owner logs in.
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Plain("198.51.100.1", "alice", "wrong"), kWrong);
  EXPECT_EQ(Plain("198.51.100.1", "alice", "secret"), kAccountText);
  EXPECT_EQ(Plain("203.0.113.9", "alice", "secret"), "granted");
}

TEST_F(ThrottledExchange, AReloadKeepsWhatWasCountedAndWhoIsKnown) {
  Allow(3, 3);
  ASSERT_EQ(Plain(kHome, "alice", "secret"), "granted");
  GuessAt("alice", 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Plain("203.0.113.99", "nobody", "wrong"), kWrong);
  Allow(2, 2);
  EXPECT_EQ(Plain("203.0.113.99", "boss", "secret"), kPeerText);
  EXPECT_EQ(Plain("203.0.113.9", "alice", "secret"), kAccountText);
  EXPECT_EQ(Plain(kHome, "alice", "secret"), "granted");
  Allow(0, 0);
  EXPECT_EQ(Plain("203.0.113.99", "boss", "secret"), "granted");
  EXPECT_EQ(Plain("203.0.113.9", "alice", "secret"), "granted");
}

TEST_F(ThrottledExchange, TheAuditSaysSo) {
  Allow(2, 1);
  EXPECT_EQ(Plain("203.0.113.1", "alice", "wrong"), kWrong);
  EXPECT_EQ(Plain("203.0.113.1", "alice", "wrong"), kAccountText);
  EXPECT_EQ(Plain("203.0.113.1", "boss", "wrong"), kWrong);
  EXPECT_EQ(Plain("203.0.113.1", "boss", "wrong"), kPeerText);
  const std::string log = parts.log_text.str();
  EXPECT_THAT(log, HasSubstr("auth result=temporary reason=account-throttled mechanism=PLAIN "
                             "user=\"alice\" service=smtp remote_ip=203.0.113.1 secured=yes "
                             "detail=\"too many failed logins of this account, and this address is "
                             "not known for it\""));
  EXPECT_THAT(log, HasSubstr("auth result=temporary reason=peer-throttled mechanism=PLAIN "
                             "user=\"\" service=smtp remote_ip=203.0.113.1 secured=yes "
                             "detail=\"too many failed logins from this address\""));
  EXPECT_THAT(log, Not(HasSubstr("warning")));
  EXPECT_EQ(parts.audit.counts().refused, 2u);
  EXPECT_EQ(parts.audit.counts().undecided, 2u);
}

// There it would have guesses left.
TEST_F(ThrottledExchange, NobodyIsSentToAnotherServer) {
  Allow(2, 1);
  EXPECT_EQ(Plain(kHome, "alice", "wrong"), kWrong);
  EXPECT_FALSE(std::get<Undecided>(parts.Step(PlainStep(kHome, "alice", "x"))).retry_elsewhere);
  EXPECT_EQ(Plain(kHome, "boss", "wrong"), kWrong);
  EXPECT_FALSE(std::get<Undecided>(parts.Step(PlainStep(kHome, "boss", "x"))).retry_elsewhere);
}

}  // namespace
}  // namespace sasld
