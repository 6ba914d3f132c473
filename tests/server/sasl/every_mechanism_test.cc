// What holds for every mechanism of the registry: who is let in, and what becomes of messages and
// states of other exchanges.
#include "tests/server/sasl/each_mechanism.h"

namespace sasld {
namespace {

class EveryMechanism : public OfEachMechanism {};

TEST_P(EveryMechanism, LetsAnHonestClientIn) {
  for (const bool initial_response : {true, false}) {
    const auto client = MakeClient(GetParam()->name, Honest());
    const Played played = PlayAgainst(Server(), *client, initial_response);
    ASSERT_TRUE(IsLetIn(played.outcome));
    if (const auto* success = std::get_if<Success>(&played.outcome)) {
      EXPECT_EQ(success->identity.authcid.str(), "user");
      EXPECT_FALSE(success->identity.authzid.has_value());
      EXPECT_EQ(success->data.has_value(), GetParam()->properties.mutual_auth);
      EXPECT_TRUE(client->Believes(success->data));
    } else {
      EXPECT_TRUE(GetParam()->properties.anonymous);
    }
    EXPECT_FALSE(RefusesInstead(played, 0, played.responses[0]));
  }
}

TEST_P(EveryMechanism, TellsTheAuthzidOfThoseThatHaveOne) {
  const std::string_view name = GetParam()->name;
  ClientSettings settings = Honest();
  settings.authzid = "Boss, the=one";
  const Played played = Play(settings);
  ASSERT_TRUE(IsLetIn(played.outcome));
  if (name == "LOGIN" || name == "CRAM-MD5" || name == "ANONYMOUS") return;
  const Identity& identity = std::get<Success>(played.outcome).identity;
  EXPECT_EQ(identity.authcid.str(), "user");
  ASSERT_TRUE(identity.authzid.has_value());
  EXPECT_EQ(identity.authzid->str(), "boss, the=one");
}

TEST_P(EveryMechanism, RefusesAWrongPassword) {
  if (!NeedsPassword()) return;  // see RefusesAWrongCertificate
  for (const std::string& password : {std::string("pencil2"), std::string("Pencil"),
                                      std::string("penci"), std::string(1024, 'p')}) {
    ClientSettings settings = Honest();
    settings.password = password;
    const Played played = Play(settings);
    const auto* failure = std::get_if<Failure>(&played.outcome);
    ASSERT_NE(failure, nullptr) << password;
    EXPECT_EQ(failure->reason, Reason::kBadCredentials);
    ASSERT_TRUE(failure->authcid.has_value());
    EXPECT_EQ(failure->authcid->str(), "user");
  }
}

TEST_P(EveryMechanism, RefusesAWrongCertificate) {
  if (GetParam()->verifier != Verifier::kCertificate) {
    facts_.certificate.reset();
    EXPECT_TRUE(IsLetIn(Play(Honest()).outcome)) << "needs no certificate";
    return;
  }
  facts_.certificate->username = "mallory";
  EXPECT_EQ(std::get<Failure>(Play(Honest()).outcome).reason, Reason::kBadCredentials);
  facts_.certificate.reset();
  EXPECT_EQ(std::get<Failure>(Play(Honest()).outcome).reason, Reason::kBadCredentials);
}

TEST_P(EveryMechanism, RefusesAnUnknownUserAsItDoesAWrongPassword) {
  if (!NeedsPassword()) return;
  ClientSettings unknown = Honest();
  unknown.authcid = "nobody";
  ClientSettings wrong = Honest();
  wrong.password = "wrong";
  const Played not_known = Play(unknown);
  const Played not_right = Play(wrong);
  EXPECT_EQ(std::get<Failure>(not_known.outcome).reason, Reason::kBadCredentials);
  EXPECT_EQ(std::get<Failure>(not_known.outcome).detail,
            std::get<Failure>(not_right.outcome).detail);
  EXPECT_EQ(not_known.responses.size(), not_right.responses.size());
}

TEST_P(EveryMechanism, RefusesWhatAnsweredAnotherChallenge) {
  const Played old = Play(Honest());
  facts_.server_nonce = "another-nonce-quite-fresh";
  ServerSide server = Server();
  std::optional<std::string> initial = MakeClient(GetParam()->name, Honest())->InitialResponse();
  Outcome outcome = server.Step(initial);
  for (size_t at = initial ? 1 : 0;
       at < old.responses.size() && std::holds_alternative<Challenge>(outcome); ++at) {
    outcome = server.Step(old.responses[at]);
  }
  EXPECT_EQ(std::holds_alternative<Failure>(outcome), IsChallenged());
}

// All sequences of up to three of the messages of an exchange, and empty ones.
TEST_P(EveryMechanism, RefusesMessagesInAnotherOrder) {
  const Played honest = Play(Honest());
  const Played without_initial = Play(Honest(), false);
  std::vector<std::optional<std::string>> messages = {std::nullopt, ""};
  for (const Played* played : {&honest, &without_initial}) {
    messages.insert(messages.end(), played->responses.begin(), played->responses.end());
  }
  size_t let_in = 0;
  const size_t count = messages.size();
  for (size_t choice = 0; choice < count * count * count; ++choice) {
    ServerSide server = Server();
    Outcome outcome = server.Step(messages[choice % count]);
    for (const size_t next : {choice / count % count, choice / count / count}) {
      if (std::holds_alternative<Challenge>(outcome)) outcome = server.Step(messages[next]);
    }
    if (!IsLetIn(outcome)) continue;
    ++let_in;
    bool honestly = false;
    for (const Played* played : {&honest, &without_initial}) {
      ServerSide client_side = played->before.back();
      client_side.Step(played->responses.back());
      honestly = honestly || !WhyWronglyLetIn(*GetParam(), outcome, server.heard(),
                                              client_side.heard(), Honest());
    }
    EXPECT_TRUE(honestly) << choice;
  }
  EXPECT_GT(let_in, 0u);
}

// The engine's seal binds a state to its mechanism; each mechanism is on its guard as well.
TEST_P(EveryMechanism, TakesNoStateOfAnotherForItsOwn) {
  const Played honest = Play(Honest());
  for (const RegisteredMechanism& other : AllMechanisms()) {
    if (&other == GetParam()) continue;
    const auto mechanism = other.make();
    const auto client = MakeClient(other.name, Honest());
    ASSERT_NE(client, nullptr) << other.name;
    const Played foreign =
        PlayAgainst(ServerSide(*mechanism, TheAccount(), facts_), *client, false);
    for (const ServerSide& server : foreign.before) {
      if (server.state.empty()) continue;
      for (const auto& responses : {foreign.responses, honest.responses}) {
        for (const std::string& response : responses) {
          const Outcome outcome =
              TheAccount().Settle(mechanism_->Continue(facts_, server.state, response));
          if (!IsLetIn(outcome)) continue;
          // What is in a state does not count where one message is all.
          EXPECT_FALSE(IsChallenged() || GetParam()->name == "LOGIN") << other.name;
        }
      }
    }
  }
}

TEST_P(EveryMechanism, TakesNoStateThatWasCutOrGrew) {
  const Played honest = Play(Honest());
  for (size_t at = 0; at < honest.responses.size(); ++at) {
    const std::string& state = honest.before[at].state;
    if (state.empty()) continue;
    std::vector<std::string> states = {state + '\0', state + "x", state + state};
    for (size_t size = 0; size < state.size(); ++size) states.push_back(state.substr(0, size));
    for (size_t size = 1; size < state.size(); ++size) states.push_back(state.substr(size));
    for (const std::string& changed : states) {
      ServerSide server = honest.before[at];
      server.state = changed;
      Outcome outcome = server.Step(honest.responses[at]);
      for (size_t next = at + 1;
           next < honest.responses.size() && std::holds_alternative<Challenge>(outcome); ++next) {
        outcome = server.Step(honest.responses[next]);
      }
      // An empty state is SCRAM's and LOGIN's beginning again.
      EXPECT_FALSE(IsLetIn(outcome)) << at << " " << testing::PrintToString(changed);
    }
  }
}

// Names, in messages that are right but for them.
TEST_P(EveryMechanism, RefusesNamesThatCannotBePrepared) {
  for (const std::string& bad :
       {std::string("us\0er", 5), std::string("us\xff"), std::string("us\xc3"),
        std::string("us\xed\xa0\x80"), std::string("us\x07"), std::string("us\x7f"),
        std::string("us\xe2\x80\x8e"), std::string("us\xee\x80\x80"), std::string("us\xef\xbf\xbf"),
        std::string("\xd8\xa7\x31"), std::string("us\xc8\xa1"), std::string(1025, 'u')}) {
    ClientSettings settings = Honest();
    settings.authcid = bad;
    settings.authzid = GetParam()->name == "EXTERNAL" ? bad : "";
    const Played played = Play(settings);
    const auto* failure = std::get_if<Failure>(&played.outcome);
    ASSERT_NE(failure, nullptr) << testing::PrintToString(bad);
    EXPECT_EQ(failure->reason, Reason::kMalformed) << testing::PrintToString(bad);
    if (GetParam()->name == "LOGIN" || GetParam()->name == "CRAM-MD5" ||
        GetParam()->name == "ANONYMOUS") {
      continue;
    }
    settings.authcid = "user";
    settings.authzid = bad;
    EXPECT_EQ(std::get<Failure>(Play(settings).outcome).reason, Reason::kMalformed)
        << testing::PrintToString(bad);
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryMechanism, testing::ValuesIn(EachMechanism()),
                         NameOfMechanism);

}  // namespace
}  // namespace sasld
