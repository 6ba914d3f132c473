// Digests by OpenSSL's one-shot calls, with names for algorithms as OpenSSL has them: another way
// to the same numbers than server/sasl/hash.cc takes.
#pragma once

#include <string>
#include <string_view>

namespace sasld::openssl {

std::string Digest(const char* algorithm, std::string_view message);
std::string Hmac(const char* algorithm, std::string_view key, std::string_view message);
std::string Pbkdf2(const char* algorithm, std::string_view password, std::string_view salt,
                   int iterations, size_t bytes);
std::string Hex(std::string_view bytes);
std::string Unhex(std::string_view hex);
std::string Base64(std::string_view bytes);
// Of well-formed text.
std::string Unbase64(std::string_view text);

}  // namespace sasld::openssl
