// The server side of a SASL mechanism as a pure function: no clock, lock, random source, log,
// store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/sasl/certificate.h"
#include "server/sasl/outcome.h"

namespace sasld {

// Channel binding data (RFC 5056) of the client's TLS connection.
struct ChannelBinding {
  std::string type;  // as registered: "tls-exporter", "tls-server-end-point", "tls-unique"
  std::string data;
};

// What is known of the connection between client and mail server. It stays the same through an
// exchange, and the state between two steps is bound to it; what does not is below the line.
struct ConnectionFacts {
  std::string service;
  std::string remote_ip;
  std::string local_ip;
  uint32_t remote_port = 0;
  uint32_t local_port = 0;
  bool secured = false;
  bool can_bind = false;  // channel binding data can be had
  std::optional<ClientCertificate> certificate;

  // --- of one step ---

  // What was passed with this step.
  std::vector<ChannelBinding> channel_bindings;
  // Whether this client was offered this mechanism with channel binding as well.
  bool binding_offered = false;
  // What the server calls itself: DIGEST-MD5's realm, the host in CRAM-MD5's challenge.
  std::string realm;
  // Fresh randomness for this step: printable ASCII without space, comma, quote, backslash, "<" or
  // ">", as it stands in messages of every kind; at least 18 random bytes' worth.
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
