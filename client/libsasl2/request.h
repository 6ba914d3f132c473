// What the plug-in writes to sasld-adapter: Dovecot's auth-client protocol, as a client with one
// exchange a connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sasld::libsasl2 {

// What is written at once. There are passwords in it, so it grows nowhere else and is wiped.
class Request {
 public:
  Request() = default;
  ~Request() { Wipe(); }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  void Append(std::string_view text);
  void AppendNumber(uint64_t number);
  void AppendBase64(std::string_view bytes);
  // "\tname=value"; what would end a field or a line is escaped.
  void AppendField(std::string_view name, std::string_view value);

  // False: there was more than the adapter takes, and text() is to be thrown away.
  bool fits() const { return fits_; }
  std::string_view text() const { return {bytes_.data(), size_}; }
  void Wipe();

 private:
  // The adapter's limit of a line is 16384 bytes with LF; VERSION and CPID are short.
  std::array<char, 16384> bytes_;
  size_t size_ = 0;
  bool fits_ = true;
};

// All views are the application's, as libsasl2 has them.
struct ExchangeFacts {
  std::string_view mechanism;
  std::string_view service;
  std::string_view local_address;   // "192.0.2.1;25", or empty
  std::string_view remote_address;  // the same
  bool secured = false;
  bool can_bind = false;  // there is channel binding data, so there is TLS
};

// The first lines of each connection. A version is what asks for the server's, too.
void AppendHandshake(bool can_bind, uint64_t process_id, Request& out);
// AUTH. `response` may be empty, which is not the same as none (RFC 4422 section 5).
void AppendAuth(const ExchangeFacts& facts, std::optional<std::string_view> response, Request& out);
// CONT, with channel binding data where the server asked for them.
void AppendContinue(std::string_view response, std::optional<std::string_view> binding_data,
                    Request& out);

// Whether it may stand as the service: 1 to 64 of printable ASCII without blanks.
bool IsService(std::string_view text);

}  // namespace sasld::libsasl2
