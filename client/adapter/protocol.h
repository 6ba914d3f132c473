// A protocol that mail servers speak to an authentication server: bytes in, events out, no I/O.
//
// One object serves one connection. It knows lines, escaping, ids and how each outcome is written;
// it knows no mechanism, no password and no user.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sasld/v1/sasl.pb.h"

namespace sasld {

// What a connection wants of the relay.
struct StepWanted {
  uint64_t exchange;         // this connection's own number of the exchange, echoed in Answer()
  v1::StepRequest request;   // all but correlation_id
};
struct ExchangeDropped {     // nobody waits for this exchange any more
  uint64_t exchange;
};
struct CloseWanted {         // hang up once what was written before has left
  std::string_view why;      // static text for the log; empty for an ordinary end
};
using ProtocolEvent = std::variant<StepWanted, ExchangeDropped, CloseWanted>;

// Not thread-safe. Output is appended to `out`, to be sent in order.
class ProtocolSession {
 public:
  virtual ~ProtocolSession() = default;
  // Called once after accept.
  virtual void Greet(std::string& out) = 0;
  // Takes bytes as they come, in pieces of any size. Keeps at most one unfinished line.
  virtual void Receive(std::string_view bytes, std::string& out,
                       std::vector<ProtocolEvent>& events) = 0;
  // Takes the answer to a StepWanted that was not dropped since.
  virtual void Answer(uint64_t exchange, const v1::StepReply& reply, std::string& out,
                      std::vector<ProtocolEvent>& events) = 0;
};

}  // namespace sasld
