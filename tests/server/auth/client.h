// A client of every mechanism, by its own arithmetic, and its dialogue with an exchange.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/sasl/registry.h"
#include "tests/server/auth/parts.h"

namespace sasld {

// Whether it asks the store for the user who logs in: then it must not tell who there is.
bool LooksUserUp(const RegisteredMechanism& mechanism);
// Whether a client can ask to act as another.
bool HasAuthzid(const RegisteredMechanism& mechanism);
// Whether the server speaks first, and so twice at least.
bool ServerSpeaksFirst(const RegisteredMechanism& mechanism);

// A policy with all mechanisms, a realm, "boss" as proxy, and certificates by their first email.
ExchangePolicy EveryMechanism();

struct Client {
  std::string_view mechanism;
  std::string name;  // EXTERNAL has none; ANONYMOUS sends it as its trace
  std::string password;
  std::string authzid = {};
  std::string gs2_flag = {};  // of SCRAM; empty: what fits the mechanism
  std::string binding_data = "the channel's data";
  std::string realm = "example.org";

  int answers = 0;  // given so far

  // Its first message; nothing where the server speaks first.
  std::optional<std::string> First();
  std::string Answer(std::string_view challenge);

  // What Answer() is made of.
  std::string Gs2Header() const;
  std::string ScramAnswer(std::string_view server_first) const;
  std::string CramAnswer(std::string_view challenge) const;
  std::string DigestAnswer(std::string_view challenge) const;
};

// On a connection where this mechanism works. With `state` empty: the first step.
StepInput StepOf(const Client& client, std::optional<std::string> response, std::string state = "");

struct Dialogue {
  std::vector<ContinueWith> challenges;
  StepInput last;  // the step that ended it
  StepResult end = Undecided{"not played", false};

  const Granted* granted() const { return std::get_if<Granted>(&end); }
  const Refused* refused() const { return std::get_if<Refused>(&end); }
  const Undecided* undecided() const { return std::get_if<Undecided>(&end); }
};

// To its last message, which is in `last` and was not sent. Fails the test if it ends before.
Dialogue PlayToTheLastStep(Parts& parts, Client client);
// To the end.
Dialogue Play(Parts& parts, Client client);

}  // namespace sasld
