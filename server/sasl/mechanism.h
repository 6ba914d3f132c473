// The server side of a SASL mechanism as a pure function: no clock, lock, random source, log,
// store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/sasl/outcome.h"

namespace sasld {

// What is known of the connection between client and mail server. All of it but `server_nonce`
// stays the same through an exchange, and the state between two steps is bound to it.
struct ConnectionFacts {
  std::string service;
  std::string remote_ip;
  std::string local_ip;
  uint32_t remote_port = 0;
  uint32_t local_port = 0;
  bool secured = false;
  // Fresh randomness for this step: printable ASCII without comma, at least 18 random bytes' worth.
  // Given, so that a step is deterministic.
  std::string server_nonce;
};

// Thread-safe, as it holds no state. Every response is hostile; it was limited in length before.
class Mechanism {
 public:
  virtual ~Mechanism() = default;

  // The first step. No initial response is not the same as an empty one (RFC 4422 section 3).
  virtual Outcome Begin(const ConnectionFacts& facts,
                        std::optional<std::string_view> initial_response) const = 0;

  // A later step. `state` is what the step before put in its Challenge: authentic, as the engine
  // sealed it.
  virtual Outcome Continue(const ConnectionFacts& facts, std::string_view state,
                           std::string_view response) const = 0;
};

}  // namespace sasld
