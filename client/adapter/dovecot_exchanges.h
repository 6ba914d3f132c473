// The exchanges that are under way on one connection of Dovecot's auth-client protocol: each from
// its AUTH to its OK or FAIL.
//
// Not thread-safe. References to exchanges last until the next Begin(), Erase() or ForgetSilent().
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "client/adapter/dovecot_auth_line.h"

namespace sasld {

// Whose turn it is in an exchange, and what that one's move needs.
struct ServersTurn {
  bool first_step;
};
struct ClientsTurn {
  std::string state;
  std::string binding_type;  // not empty: channel binding data of this type was asked for
};
struct Acknowledgement {  // of the server's last message: an empty response
  std::string authcid;
  std::string authzid;
  bool anonymous;
};

struct Granted {  // and the client's process hands its user over: see dovecot_logins.h
  std::string authcid;
  std::string authzid;
  bool anonymous;
};

struct DovecotExchange {
  uint64_t number;  // grows by one with each exchange of this connection
  DovecotAuthLine auth;
  std::variant<ServersTurn, ClientsTurn, Acknowledgement, Granted> turn;
  // When it was first seen to wait for the client; infinite past until then.
  absl::Time waits_since = absl::InfinitePast();

  bool waits_for_client() const { return !std::holds_alternative<ServersTurn>(turn); }
};

class DovecotExchanges {
 public:
  static constexpr size_t kMaxLive = 1024;
  // Postfix never tells that its client gave up; Dovecot forgets after as long.
  static constexpr absl::Duration kClientSilence = absl::Seconds(150);

  // `auth` begins a new one, of an id that none has. Where there is no room, the oldest one that
  // waits for its client makes way, as Postfix does not cancel. Null: none can.
  DovecotExchange* Begin(DovecotAuthLine auth);
  // By the mail server's id, or by our number. Null: not under way.
  DovecotExchange* Find(uint32_t id);
  DovecotExchange* FindNumber(uint64_t number);
  void Erase(DovecotExchange& exchange);
  void Clear() { exchanges_.clear(); }
  bool empty() const { return exchanges_.empty(); }
  // Those that were not granted, in no order.
  template <class Take>
  void ForEachUnfinished(Take take) const {
    for (const DovecotExchange& exchange : exchanges_) {
      if (!std::holds_alternative<Granted>(exchange.turn)) take(exchange);
    }
  }
  // Called now and then: forgets those whose client has been silent for kClientSilence.
  void ForgetSilent(absl::Time now);

 private:
  bool MakeRoom();

  uint64_t begun_ = 0;
  std::vector<DovecotExchange> exchanges_;  // in no order
};

}  // namespace sasld
