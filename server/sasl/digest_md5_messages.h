// The messages of DIGEST-MD5 (RFC 2831 section 2.1): parse what the client sends, print what the
// server sends, nothing else.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sasld {

// RFC 2831 section 2.1.2: the size of a digest-response MUST be less than 4096 bytes.
inline constexpr size_t kMaxDigestResponseBytes = 4095;

// A digest-response. Values are unquoted; texts are UTF-8 with `is_utf8`, else ISO 8859-1.
struct DigestResponse {
  std::string username;
  std::string realm;
  std::string nonce;
  std::string cnonce;
  std::string nc;
  std::string qop;
  std::string digest_uri;
  std::string response;
  std::optional<std::string> authzid;  // always UTF-8
  bool is_utf8 = false;
};

// A static text that names the directive, never its value.
struct DigestSyntaxError {
  std::string_view detail;
};

std::variant<DigestResponse, DigestSyntaxError> ParseDigestResponse(std::string_view message);

// The digest-challenge. `realm` and `nonce` hold neither quotes nor backslashes.
std::string PrintDigestChallenge(std::string_view realm, std::string_view nonce);

}  // namespace sasld
