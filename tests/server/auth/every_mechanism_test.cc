// What every mechanism that looks a user up does alike, from end to end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/auth/client.h"

namespace sasld {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<const RegisteredMechanism*> Chosen(bool (*choose)(const RegisteredMechanism&)) {
  std::vector<const RegisteredMechanism*> chosen;
  for (const RegisteredMechanism& mechanism : AllMechanisms()) {
    if (choose(mechanism)) chosen.push_back(&mechanism);
  }
  return chosen;
}

std::string TestName(const testing::TestParamInfo<const RegisteredMechanism*>& info) {
  std::string name(info.param->name);
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return name;
}

class MechanismTest : public testing::TestWithParam<const RegisteredMechanism*> {
 protected:
  void SetUp() override {
    for (const char* name : {"alice", "boss"}) parts.MustCreate(name, "secret");
  }
  Client With(std::string name, std::string password, std::string authzid = "") const {
    return {GetParam()->name, std::move(name), std::move(password), std::move(authzid)};
  }
  Dialogue PlayWith(std::string name, std::string password, std::string authzid = "") {
    return Play(parts, With(std::move(name), std::move(password), std::move(authzid)));
  }
  // The end must be a refusal that tells nothing; the audit has `reason`.
  void ExpectRefused(const Dialogue& dialogue, std::string_view reason) {
    ASSERT_NE(dialogue.refused(), nullptr) << "variant " << dialogue.end.index();
    EXPECT_EQ(dialogue.refused()->refusal, Refusal::kAuthenticationFailed);
    EXPECT_EQ(dialogue.refused()->not_before, kNow + absl::Seconds(2));
    EXPECT_THAT(parts.log_text.str(), HasSubstr("reason=" + std::string(reason) + " mechanism=" +
                                                std::string(GetParam()->name) + " "));
  }
  bool Proves() const { return GetParam()->properties.mutual_auth; }

  Parts parts{{1, 64, 64}, EveryMechanism()};
};

class AMechanism : public MechanismTest {};

TEST_P(AMechanism, LetsTheRightPasswordIn) {
  const Dialogue dialogue = PlayWith("alice", "secret");
  ASSERT_NE(dialogue.granted(), nullptr) << parts.log_text.str();
  EXPECT_EQ(dialogue.granted()->authcid, "alice");
  EXPECT_EQ(dialogue.granted()->authzid, "alice");
  EXPECT_EQ(dialogue.granted()->data.has_value(), Proves());
  EXPECT_FALSE(dialogue.granted()->anonymous);
  EXPECT_EQ(parts.audit.counts().granted, 1u);
  EXPECT_THAT(parts.log_text.str(), Not(HasSubstr("secret")));
}

TEST_P(AMechanism, RefusesAWrongPassword) {
  ExpectRefused(PlayWith("alice", "Secret"), "bad-credentials");
}

TEST_P(AMechanism, RefusesAnUnknownUser) {
  ExpectRefused(PlayWith("nobody", "secret"), "unknown-user");
}

TEST_P(AMechanism, RefusesWhoHasNoVerifierForIt) {
  ASSERT_TRUE(
      parts.store.Create({Username::Prepare("bare").value(), true, 0, kNow, kNow, {}}).ok());
  ExpectRefused(PlayWith("bare", "secret"), "no-verifier");
}

TEST_P(AMechanism, RefusesADisabledAccountAsAWrongPassword) {
  ASSERT_TRUE(parts.accounts.SetEnabled("alice", false).ok());
  ExpectRefused(PlayWith("alice", "secret"), "disabled");
  ExpectRefused(PlayWith("alice", "wrong"), "bad-credentials");
}

TEST_P(AMechanism, RefusesAPasswordThatWasChangedBetweenTheSteps) {
  Dialogue dialogue = PlayToTheLastStep(parts, With("alice", "secret"));
  ASSERT_TRUE(parts.accounts.SetPassword("alice", "new", kNow).ok());
  dialogue.end = parts.Step(dialogue.last);
  ExpectRefused(dialogue, GetParam()->verifier == Verifier::kScram ? "credential-changed"
                                                                   : "bad-credentials");
  EXPECT_NE(PlayWith("alice", "new").granted(), nullptr);
}

TEST_P(AMechanism, RefusesAnAccountThatWasRemovedBetweenTheSteps) {
  Dialogue dialogue = PlayToTheLastStep(parts, With("alice", "secret"));
  ASSERT_TRUE(parts.accounts.Remove("alice").ok());
  dialogue.end = parts.Step(dialogue.last);
  ASSERT_NE(dialogue.refused(), nullptr);
  EXPECT_EQ(dialogue.refused()->refusal, Refusal::kAuthenticationFailed);
}

TEST_P(AMechanism, ActsForOthersOnlyByPermission) {
  if (!HasAuthzid(*GetParam())) {
    EXPECT_EQ(PlayWith("boss", "secret", "alice").granted()->authzid, "boss");
    return;
  }
  ExpectRefused(PlayWith("alice", "secret", "boss"), "not-authorized");
  ExpectRefused(PlayWith("boss", "secret", "nobody"), "not-authorized");
  ExpectRefused(PlayWith("boss", "wrong", "alice"), "bad-credentials");
  const Dialogue boss = PlayWith("boss", "secret", "alice");
  ASSERT_NE(boss.granted(), nullptr);
  EXPECT_EQ(boss.granted()->authcid, "boss");
  EXPECT_EQ(boss.granted()->authzid, "alice");
  EXPECT_EQ(PlayWith("alice", "secret", "alice").granted()->authzid, "alice");
}

TEST_P(AMechanism, AStoreThatCannotBeReadIsTemporary) {
  Dialogue dialogue = PlayToTheLastStep(parts, With("alice", "wrong"));
  parts.store.FailReads(true);
  dialogue.end = parts.Step(dialogue.last);
  EXPECT_NE(dialogue.undecided(), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Each, AMechanism, testing::ValuesIn(Chosen(&LooksUserUp)), TestName);

// Mechanisms of more than one step.
class AState : public MechanismTest {
 protected:
  // The last step of a right login, changed.
  template <typename Change>
  StepResult Changed(Change change) {
    Dialogue dialogue = PlayToTheLastStep(parts, With("alice", "secret"));
    change(dialogue.last);
    return parts.Step(std::move(dialogue.last));
  }
  template <typename Change>
  void ExpectInvalid(std::string_view what, Change change) {
    SCOPED_TRACE(what);
    const uint64_t refused = parts.audit.counts().refused;
    const StepResult result = Changed(change);
    ASSERT_TRUE(std::holds_alternative<Refused>(result)) << "variant " << result.index();
    EXPECT_EQ(std::get<Refused>(result).refusal, Refusal::kAuthenticationFailed);
    EXPECT_EQ(std::get<Refused>(result).not_before, kNow + absl::Seconds(2));
    EXPECT_EQ(parts.audit.counts().refused, refused + 1);
    EXPECT_THAT(parts.log_text.str(), HasSubstr("reason=state-invalid"));
    parts.log_text.str("");
  }
};

TEST_P(AState, IsBoundToEveryFactOfTheConnection) {
  ExpectInvalid("service", [](StepInput& in) { in.facts.service = "imap"; });
  ExpectInvalid("remote_ip", [](StepInput& in) { in.facts.remote_ip = "192.0.2.8"; });
  ExpectInvalid("local_ip", [](StepInput& in) { in.facts.local_ip = "192.0.2.8"; });
  ExpectInvalid("remote_port", [](StepInput& in) { ++in.facts.remote_port; });
  ExpectInvalid("local_port", [](StepInput& in) { ++in.facts.local_port; });
  if (!GetParam()->properties.plaintext) {
    ExpectInvalid("secured", [](StepInput& in) { in.facts.secured = false; });
  }
  if (!GetParam()->properties.channel_binding) {
    ExpectInvalid("can_bind", [](StepInput& in) { in.facts.can_bind = false; });
  }
  ExpectInvalid("no certificate", [](StepInput& in) { in.facts.certificate.reset(); });
  ExpectInvalid("fingerprint",
                [](StepInput& in) { in.facts.certificate->sha256_fingerprint[0] ^= 1; });
  ExpectInvalid("common name", [](StepInput& in) { in.facts.certificate->common_name = "Bob"; });
  ExpectInvalid("username", [](StepInput& in) { in.facts.certificate->username = "bob"; });
  ExpectInvalid("email", [](StepInput& in) { in.facts.certificate->emails = {"bob"}; });
  ExpectInvalid("one more email",
                [](StepInput& in) { in.facts.certificate->emails.emplace_back("bob"); });
  // The same bytes, split another way.
  ExpectInvalid("shifted", [](StepInput& in) {
    in.facts.local_ip.insert(0, 1, in.facts.remote_ip.back());
    in.facts.remote_ip.pop_back();
  });
  EXPECT_TRUE(std::holds_alternative<Granted>(Changed([](StepInput&) {})));
}

TEST_P(AState, IsOfNoUseToAnotherMechanism) {
  for (const RegisteredMechanism& other : AllMechanisms()) {
    if (other.name == GetParam()->name) continue;
    ExpectInvalid(other.name, [&](StepInput& in) { in.mechanism = other.name; });
  }
}

TEST_P(AState, ExpiresToTheMoment) {
  for (const auto& [age, valid] : {std::pair{absl::Seconds(120) - absl::Milliseconds(1), true},
                                   std::pair{absl::Seconds(120), false}}) {
    Dialogue dialogue = PlayToTheLastStep(parts, With("alice", "secret"));
    dialogue.end = parts.Step(dialogue.last, kNow + age);
    EXPECT_EQ(dialogue.granted() != nullptr, valid) << age;
    EXPECT_EQ(dialogue.refused() == nullptr, valid) << age;
  }
}

TEST_P(AState, IsRefusedIfAnyOfItsBytesIsNotOurs) {
  for (const size_t at : {size_t{0}, size_t{10}, size_t{20}, size_t{30}}) {
    ExpectInvalid("byte", [at](StepInput& in) { in.state[at] ^= 1; });
  }
  ExpectInvalid("tag", [](StepInput& in) { in.state.back() ^= 1; });
  ExpectInvalid("cut", [](StepInput& in) { in.state.pop_back(); });
  ExpectInvalid("more", [](StepInput& in) { in.state.push_back('\0'); });
}

INSTANTIATE_TEST_SUITE_P(Each, AState,
                         testing::ValuesIn(Chosen([](const RegisteredMechanism& mechanism) {
                           return ServerSpeaksFirst(mechanism) ||
                                  mechanism.verifier == Verifier::kScram;
                         })),
                         TestName);

// Where what answers a challenge is the same each time, the challenge is good for one answer.
class AChallengeForOnce : public MechanismTest {};

TEST_P(AChallengeForOnce, IsTemporaryTheSecondTimeNeverSuccessAndNeverWrong) {
  const Dialogue right = PlayWith("alice", "secret");
  ASSERT_NE(right.granted(), nullptr);
  for (int i = 0; i < 3; ++i) {
    const StepResult again = parts.Step(right.last);
    ASSERT_TRUE(std::holds_alternative<Undecided>(again));
    EXPECT_FALSE(std::get<Undecided>(again).retry_elsewhere);
  }
  const Dialogue wrong = PlayWith("alice", "wrong");
  ASSERT_NE(wrong.refused(), nullptr);
  EXPECT_TRUE(std::holds_alternative<Undecided>(parts.Step(wrong.last)));
  // Nor may a second guess be made at it.
  StepInput guess = wrong.last;
  guess.response = PlayToTheLastStep(parts, With("alice", "secret")).last.response;
  EXPECT_TRUE(std::holds_alternative<Undecided>(parts.Step(guess)));
  EXPECT_EQ(parts.audit.counts().granted, 1u);
  EXPECT_EQ(parts.audit.counts().refused, 1u);
  EXPECT_EQ(parts.audit.counts().undecided, 5u);
  EXPECT_THAT(parts.log_text.str(), HasSubstr("this challenge was answered before"));
}

TEST_P(AChallengeForOnce, IsRememberedThoughLifetimesAreShortened) {
  Dialogue right = PlayToTheLastStep(parts, With("alice", "secret"));
  ExchangePolicy policy = EveryMechanism();
  policy.state_lifetime = absl::Seconds(1);
  parts.exchange.Adopt(policy);
  EXPECT_TRUE(std::holds_alternative<Granted>(parts.Step(right.last)));
  for (const int second : {1, 3, 5, 60, 119}) {
    EXPECT_TRUE(
        std::holds_alternative<Undecided>(parts.Step(right.last, kNow + absl::Seconds(second))))
        << second;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, AChallengeForOnce,
                         testing::ValuesIn(Chosen([](const RegisteredMechanism& mechanism) {
                           return mechanism.challenge_is_used_once;
                         })),
                         TestName);

// SCRAM's last step may come twice, as when a caller sends again what a broken stream swallowed,
// and is answered twice alike. Nobody gains by it: the state lets it in on this very connection
// only, for as long as the password is the same, and only the caller holds it; the proof fits no
// other nonce.
TEST(ScramStep, ComesTwiceAndIsAnsweredAlike) {
  Parts parts({1, 64, 64}, EveryMechanism());
  parts.MustCreate("alice", "secret");
  const Dialogue first = Play(parts, {"SCRAM-SHA-256", "alice", "secret"});
  ASSERT_NE(first.granted(), nullptr);
  const StepResult again = parts.Step(first.last);
  ASSERT_TRUE(std::holds_alternative<Granted>(again));
  EXPECT_EQ(std::get<Granted>(again).data, first.granted()->data);
  // The proof of one exchange in another.
  StepInput replayed = PlayToTheLastStep(parts, {"SCRAM-SHA-256", "alice", "secret"}).last;
  replayed.response = first.last.response;
  EXPECT_TRUE(std::holds_alternative<Refused>(parts.Step(replayed)));
  EXPECT_THAT(parts.log_text.str(), HasSubstr("reason=nonce-mismatch"));
  StepInput elsewhere = first.last;
  ++elsewhere.facts.remote_port;
  EXPECT_TRUE(std::holds_alternative<Refused>(parts.Step(elsewhere)));
  ASSERT_TRUE(parts.accounts.SetPassword("alice", "secret", kNow).ok());
  EXPECT_TRUE(std::holds_alternative<Refused>(parts.Step(first.last)));
}

}  // namespace
}  // namespace sasld
