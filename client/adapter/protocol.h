// A protocol that mail servers speak to an authentication server: bytes in, events out, no I/O.
//
// One object serves one connection. It knows lines, escaping, ids and how each outcome is written;
// it knows no mechanism, no password and no user.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "sasld/v1/sasl.pb.h"

namespace sasld {

// How "try again later" is said on a socket. Postfix and Exim take every negative answer for "wrong
// password"; only a closed connection tells them that it was not.
enum class TemporaryFailureWay {
  kAuto,   // as this client's version of the protocol understands it
  kClose,  // always hang up
  kFail,   // always a negative answer that carries a mark
};

class DovecotLogins;
struct DovecotMasterAnswer;

// Who has connected, as the kernel tells it.
struct PeerFacts {
  pid_t pid = 0;  // 0: not known
  uid_t uid = static_cast<uid_t>(-1);
  // It came in because the socket is open to all, not as its owner, one of its group, or root.
  bool is_stranger = true;
};

// Where a proxy is to take those on to who have logged in.
struct Backend {
  std::string address;  // IPv4 or IPv6, without brackets
  uint16_t port = 0;    // 0: there is none
  friend bool operator==(const Backend&, const Backend&) = default;
};
struct Backends {
  Backend imap;
  Backend pop3;
  Backend smtp;
  friend bool operator==(const Backends&, const Backends&) = default;
};

// What the session of a new connection is told.
struct SessionFacts {
  // Borrowed until the session is made.
  const v1::ListMechanismsReply& mechanisms;
  TemporaryFailureWay temporary_failure;
  pid_t server_pid;            // as the protocol calls it; the same for all adapters at the socket
  uint64_t connection_number;  // counts this process's connections, from 1
  std::array<unsigned char, 16> cookie;  // random
  PeerFacts peer = {};
  DovecotLogins* logins = nullptr;  // of this adapter; must outlive the session
  // Of the listener; outlives the session. Null where the protocol has none.
  const Backends* backends = nullptr;
};

// What a connection wants of the relay.
struct StepWanted {
  uint64_t exchange;        // this connection's own number of the exchange, echoed in Answer()
  v1::StepRequest request;  // all but correlation_id
};
struct ExchangeDropped {  // nobody waits for this exchange any more
  uint64_t exchange;
};
struct CloseWanted {     // hang up once what was written before has left
  std::string_view why;  // static text for the log; empty for an ordinary end
};
struct Noticed {          // something that the administrator can mend
  std::string_view what;  // static text for the log
};
struct LoginWanted {  // that no connection here has had: maybe one of another adapter's
  uint64_t exchange;  // echoed in LoginAnswered()
  std::string login;  // AppendDovecotLogin
};
using ProtocolEvent = std::variant<StepWanted, ExchangeDropped, CloseWanted, Noticed, LoginWanted>;

// Not thread-safe. Output is appended to `out`, to be sent in order. After CloseWanted nothing is
// taken and nothing comes any more.
class ProtocolSession {
 public:
  virtual ~ProtocolSession() = default;
  // Called once after accept.
  virtual void Greet(std::string& out) = 0;
  // Takes bytes as they come, in pieces of any size. Keeps at most one unfinished line.
  virtual void Receive(std::string_view bytes, std::string& out,
                       std::vector<ProtocolEvent>& events) = 0;
  // Takes the answer to a StepWanted that was not dropped since.
  virtual void Answer(uint64_t exchange, v1::StepReply&& reply, std::string& out,
                      std::vector<ProtocolEvent>& events) = 0;
  // Takes the answer to a LoginWanted.
  virtual void LoginAnswered(uint64_t /*exchange*/, const DovecotMasterAnswer& /*answer*/,
                             std::string& /*out*/) {}
  // All that was written has left. Who writes more than a line for each that it reads waits for
  // this, so that a peer that does not read costs no memory. Nothing is written here.
  virtual void Drained(std::vector<ProtocolEvent>& /*events*/) {}
  // Forgets exchanges whose client has been silent for too long. To be called every few seconds;
  // `now` only ever grows.
  virtual void ForgetSilent(absl::Time now) = 0;
  // The process ends: says "try again later" to who waits for an answer, where the protocol has
  // words for that; elsewhere hanging up says it. Called last, and then it is hung up on.
  virtual void GiveUp(std::string& /*out*/, std::vector<ProtocolEvent>& /*events*/) {}
  // Whether the client would lose something if the connection ended now: an exchange that is under
  // way, or a message that it has begun.
  virtual bool InExchange() const = 0;
};

}  // namespace sasld
