// What CRAM-MD5 and DIGEST-MD5 are checked with. Each is as good as the password for its mechanism:
// whoever has it can log in.
#pragma once

#include <string>
#include <string_view>

#include "server/sasl/secret.h"

namespace sasld {

inline constexpr size_t kMd5Bytes = 16;

// The two states of MD5 after the inner and the outer pad of HMAC-MD5 (RFC 2195 section 2) keyed
// with the password: 16 bytes each, as four words of RFC 1321, least significant byte first.
Secret CramMd5States(const Secret& prepared_password);

// HMAC-MD5 of `message` from such states, 16 bytes. Empty, which equals no digest, if they have
// another size.
Secret CramMd5Digest(const Secret& states, std::string_view message);

// H({ username-value, ":", realm-value, ":", passwd }), 16 bytes. RFC 2831 section 2.1.2.1: each
// part that is all ISO 8859-1 is hashed in that form. All three are UTF-8.
Secret DigestMd5Ha1(std::string_view username, std::string_view realm,
                    const Secret& prepared_password);

Secret Md5(std::string_view message);

}  // namespace sasld
