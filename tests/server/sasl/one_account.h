// An engine with one account, for tests: answers what mechanisms ask as the real one does, and
// keeps the state between the steps of an exchange.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/sasl/mechanism.h"
#include "server/sasl/registry.h"

namespace sasld {

// A connection on which every mechanism can work: bound, with the account's certificate.
ConnectionFacts FactsOfAnExchange();

// The account "user" with the password "pencil", in the realm of FactsOfAnExchange(). Its
// certificate is the one whose username is "user". All other names get decoys.
class OneAccount {
 public:
  OneAccount();
  // Answers questions until none is left: a Challenge, Success, AnonymousSuccess or Failure.
  Outcome Settle(Outcome outcome) const;

 private:
  ScramKeys KeysFor(const ScramUser& user) const;
  Secret EquivalentFor(const EquivalentOf& question) const;

  std::array<ScramKeyPair, kAllHashes.size()> scram_;
  Secret cram_md5_;
  Secret digest_md5_;
};

// What one side of an exchange heard and said.
struct Conversation {
  std::vector<std::string> responses;   // the client's
  std::vector<std::string> challenges;  // the server's
};

// One exchange on the server. Copies go on from where the original was.
class ServerSide {
 public:
  // What is passed must outlive it.
  ServerSide(const Mechanism& mechanism, const OneAccount& account, const ConnectionFacts& facts)
      : mechanism_(&mechanism), account_(&account), facts_(facts) {}

  // The next step. Each has a nonce of its own, as the real engine gives it.
  Outcome Step(std::optional<std::string_view> response);

  // The state that is to come back with the next response.
  std::string state;
  // As in `heard`; an empty challenge that asks for the initial response does not count, and
  // neither does the lack of one.
  const Conversation& heard() const { return heard_; }

 private:
  const Mechanism* mechanism_;
  const OneAccount* account_;
  ConnectionFacts facts_;
  Conversation heard_;
  int steps_ = 0;
};

}  // namespace sasld
