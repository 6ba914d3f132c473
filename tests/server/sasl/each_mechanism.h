// What the tests that go over the registry share: the honest exchange of a mechanism, and what
// becomes of it when a message is another. A mechanism that is new, and has no client in
// sasl_client.cc or no property in matching.cc, fails all of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/server/sasl/matching.h"
#include "tests/server/sasl/one_account.h"
#include "tests/server/sasl/sasl_client.h"

namespace sasld {

inline bool IsLetIn(const Outcome& outcome) {
  return std::holds_alternative<Success>(outcome) ||
         std::holds_alternative<AnonymousSuccess>(outcome);
}

inline const OneAccount& TheAccount() {
  static const auto* account = new OneAccount;
  return *account;
}

// An exchange, message by message: what the client sent, and the server before each.
struct Played {
  std::vector<std::string> responses;
  std::vector<ServerSide> before;
  Outcome outcome;
};

class OfEachMechanism : public testing::TestWithParam<const RegisteredMechanism*> {
 protected:
  void SetUp() override {
    ASSERT_NE(MakeClient(GetParam()->name, {}), nullptr)
        << "give it a client in sasl_client.cc and a property in matching.cc";
  }

  // Whether what the client sends answers what the server drew. Where it does not, a replay works,
  // and nothing but TLS is against it.
  bool IsChallenged() const {
    const Verifier verifier = GetParam()->verifier;
    return verifier == Verifier::kScram || verifier == Verifier::kCramMd5 ||
           verifier == Verifier::kDigestMd5;
  }
  bool NeedsPassword() const { return IsChallenged() || GetParam()->properties.plaintext; }

  ServerSide Server() const { return {*mechanism_, TheAccount(), facts_}; }

  ClientSettings Honest() const {
    ClientSettings settings;
    settings.binding_data = std::string(32, 'x');
    return settings;
  }

  Played Play(const ClientSettings& settings, bool initial_response = true) const {
    return PlayAgainst(Server(), *MakeClient(GetParam()->name, settings), initial_response);
  }

  static Played PlayAgainst(ServerSide server, SaslClient& client, bool initial_response) {
    Played played{{}, {}, Challenge{}};
    std::optional<std::string> response;
    if (initial_response) response = client.InitialResponse();
    if (!response) {
      played.outcome = server.Step(std::nullopt);
      response = Answer(client, played.outcome);
    }
    while (response) {
      played.responses.push_back(*response);
      played.before.push_back(server);
      played.outcome = server.Step(*response);
      response = Answer(client, played.outcome);
    }
    return played;
  }

  // An empty challenge asks for the initial response.
  static std::optional<std::string> Answer(SaslClient& client, const Outcome& outcome) {
    const auto* challenge = std::get_if<Challenge>(&outcome);
    if (!challenge) return std::nullopt;
    return challenge->data.empty() ? client.InitialResponse() : client.Answer(challenge->data);
  }

  // The server with the honest client's conversation so far, and then `changed` instead of message
  // `at`; the rest as it was. True if it refused; if not, it must have had a reason to.
  bool RefusesInstead(const Played& honest, size_t at, const std::string& changed) const {
    ServerSide server = honest.before[at];
    Outcome outcome = server.Step(changed);
    for (size_t next = at + 1;
         next < honest.responses.size() && std::holds_alternative<Challenge>(outcome); ++next) {
      outcome = server.Step(honest.responses[next]);
    }
    if (!IsLetIn(outcome)) return true;
    ServerSide as_client_saw_it = honest.before.back();
    as_client_saw_it.Step(honest.responses.back());
    const auto why =
        WhyWronglyLetIn(*GetParam(), outcome, server.heard(), as_client_saw_it.heard(), Honest());
    EXPECT_FALSE(why.has_value()) << *why << ": " << testing::PrintToString(changed);
    return false;
  }

  ConnectionFacts facts_ = FactsOfAnExchange();
  const std::unique_ptr<const Mechanism> mechanism_ = GetParam()->make();
};

inline std::vector<const RegisteredMechanism*> EachMechanism() {
  std::vector<const RegisteredMechanism*> all;
  for (const RegisteredMechanism& mechanism : AllMechanisms()) all.push_back(&mechanism);
  return all;
}

inline std::string NameOfMechanism(const testing::TestParamInfo<const RegisteredMechanism*>& info) {
  std::string name(info.param->name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace sasld
