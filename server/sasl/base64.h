// Base64 (RFC 4648 section 4), strict: what it accepts re-encodes to itself. No white space, no
// missing or surplus padding, no stray bits in the last digit.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/sasl/secret.h"

namespace sasld {

std::string EncodeBase64(std::string_view bytes);

// Nothing for text that is not canonical base64.
std::optional<std::string> DecodeBase64(std::string_view text);

// The same for text that may hold a password.
std::optional<Secret> DecodeBase64Secret(std::string_view text);

}  // namespace sasld
