// The lines of Dovecot's auth-master protocol.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "client/adapter/dovecot_logins.h"
#include "sasld/v1/sasl.pb.h"

namespace sasld {

// "USER" and "PASS": by name.
struct DovecotUserLine {
  uint32_t id;
  std::string user;
};
// "LIST".
struct DovecotListLine {
  uint32_t id;
  std::string mask;  // of names: '*' and '?'; empty: all
};
// "REQUEST".
struct DovecotRequestLine {
  uint32_t id;
  uint32_t cpid;      // of the login process
  uint32_t login_id;  // of its AUTH
  DovecotCookie cookie;
  std::optional<uint32_t> session_pid;  // whom it was handed to
  // By another adapter, which has looked at who asks it: see fellow_adapter.h.
  bool relayed;
};

// Parse what follows the command and its TAB. Parameters that are unknown or make no sense are
// ignored, as Dovecot does. On a violation, which ends the connection: static text that says which.
std::variant<DovecotUserLine, std::string_view> ParseDovecotUserLine(std::string_view arguments);
std::variant<DovecotListLine, std::string_view> ParseDovecotListLine(std::string_view arguments);
std::variant<DovecotRequestLine, std::string_view> ParseDovecotRequestLine(
    std::string_view arguments);

// What REQUEST has after its id, for another adapter.
void AppendDovecotLogin(const DovecotRequestLine& line, std::string& out);

// Whether `name` is one that `mask` stands for: '*' for any characters, '?' for one, ASCII letters
// in any case.
bool MatchesDovecotMask(std::string_view name, std::string_view mask);

// "\tuid=5000\thome=/srv/ann": the attributes of an answer as fields. Empty values are names alone,
// which Dovecot takes for "yes".
void AppendDovecotAttributes(const v1::AccountAnswer& account, std::string& out);

}  // namespace sasld
