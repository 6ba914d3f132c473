// The AUTH line of Dovecot's auth-client protocol.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "sasld/v1/sasl.pb.h"

namespace sasld {

struct DovecotAuthLine {
  uint32_t id;
  std::string mechanism;  // a mechanism's name, upper case
  v1::ConnectionFacts connection;
  bool tls = false;            // not only secured by other means
  bool final_resp_ok = false;  // the client takes the server's last message with OK
  // Unset: no initial response. Empty: an initial response of no bytes. Else base64, as it came:
  // unchecked. Borrows the line.
  std::optional<std::string_view> response;
};

// Parses what follows "AUTH\t". Parameters that are unknown or make no sense are ignored, as
// Dovecot does. On a violation, which ends the connection: static text that says which.
std::variant<DovecotAuthLine, std::string_view> ParseDovecotAuthLine(std::string_view arguments,
                                                                     uint32_t client_minor);

// Parses a whole line "VERSION\tMAJOR\tMINOR", and nothing behind it. Nothing: it is none.
struct DovecotVersion {
  uint32_t major;
  uint32_t minor;
};
std::optional<DovecotVersion> ParseDovecotVersion(std::string_view line);

// A decimal number in [1, 4294967295]; leading zeros are let through.
std::optional<uint32_t> ParseDovecotId(std::string_view digits);
// In [0, 4294967295].
std::optional<uint32_t> ParseDovecotNumber(std::string_view digits);

}  // namespace sasld
