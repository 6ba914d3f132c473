// A request that nginx's mail module sends to its auth_http server: HTTP without a body, the login
// in headers of its own.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sasld {

// nginx's own buffers for a client's line, and a certificate, are much smaller.
inline constexpr size_t kMaxNginxAuthRequestBytes = 65536;

// The headers that mean something here, as they stand there; unset where there is none. Views into
// the request.
struct NginxAuthRequest {
  std::optional<std::string_view> method;       // Auth-Method
  std::optional<std::string_view> user;         // Auth-User, escaped
  std::optional<std::string_view> password;     // Auth-Pass, escaped
  std::optional<std::string_view> protocol;     // Auth-Protocol
  std::optional<std::string_view> client_ip;    // Client-IP
  std::optional<std::string_view> ssl;          // Auth-SSL
  std::optional<std::string_view> ssl_verify;   // Auth-SSL-Verify
  std::optional<std::string_view> certificate;  // Auth-SSL-Cert, escaped PEM
};

// Takes apart what stands before the empty line, the last line's CR LF included. If it is no such
// request: why not, as static text.
std::variant<NginxAuthRequest, std::string_view> ParseNginxAuthRequest(std::string_view head);

// Appends `escaped` without nginx's escapes ("%20"), of which it has for blanks, "%" and control
// characters; "+" is a "+". False where an escape is broken.
bool AppendNginxUnescaped(std::string_view escaped, std::string& out);

}  // namespace sasld
