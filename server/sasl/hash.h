// The hash functions that SCRAM comes in, and HMAC (RFC 2104) with them. All end the process if
// OpenSSL cannot compute them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/sasl/secret.h"

namespace sasld {

// The values are part of what is stored: never change one.
enum class Hash : uint8_t {
  kSha1 = 1,
  kSha224 = 2,
  kSha256 = 3,
  kSha384 = 4,
  kSha512 = 5,
  kSha3_512 = 6,
};

// All of them, strongest first.
inline constexpr std::array kAllHashes = {Hash::kSha3_512, Hash::kSha512, Hash::kSha384,
                                          Hash::kSha256,   Hash::kSha224, Hash::kSha1};

// As in a mechanism's name: "SHA-256".
std::string_view NameOf(Hash hash);

// Bytes of the hash's output.
size_t HashBytes(Hash hash);

Secret Digest(Hash hash, std::string_view message);

Secret Hmac(Hash hash, std::string_view key, std::string_view message);

// PBKDF2 with HMAC (RFC 8018 section 5.2), one output of the hash's size: Hi() of RFC 5802 section
// 2.2. Takes `iterations` HMACs: milliseconds.
Secret Pbkdf2(Hash hash, std::string_view password, std::string_view salt, uint32_t iterations);

}  // namespace sasld
