// What is answered to nginx's mail module. It reads 1024 bytes at most, and of them headers only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sasld {

// What a client is told that is not let in: text, and before it a code of its protocol.
struct NginxRefusal {
  std::string_view text;
  std::string_view smtp;  // reply code and enhanced status code
  std::string_view imap;  // response code (RFC 5530) with a blank, or nothing
  std::string_view pop3;  // response code (RFC 3206) with a blank, or nothing
};

// RFC 4954 section 6 has the codes of SMTP.
inline constexpr NginxRefusal kNginxWrongLogin = {"Invalid login or password", "535 5.7.8",
                                                  "[AUTHENTICATIONFAILED] ", "[AUTH] "};
inline constexpr NginxRefusal kNginxTryLater = {"Temporary authentication failure", "454 4.7.0",
                                                "[UNAVAILABLE] ", "[SYS/TEMP] "};
inline constexpr NginxRefusal kNginxWantsTls = {"Encryption required for this login", "538 5.7.11",
                                                "[PRIVACYREQUIRED] ", ""};
inline constexpr NginxRefusal kNginxNoSuchMethod = {"Authentication mechanism not supported here",
                                                    "504 5.5.4", "", ""};
inline constexpr NginxRefusal kNginxLoginFirst = {"Authentication required", "530 5.7.0", "", ""};

// Whether `name` is one that nginx can pass on: it writes it as it is into a line of the next
// server's protocol, where a blank would end it.
bool IsNginxName(std::string_view name);

// `service`: "smtp", "imap" or "pop3".
void AppendNginxRefusal(const NginxRefusal& refusal, std::string_view service, std::string& out);
// `name` as IsNginxName.
void AppendNginxOk(std::string_view address, uint16_t port, std::string_view name,
                   std::string& out);

}  // namespace sasld
