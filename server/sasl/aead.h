// AES-256-GCM (RFC 5116 section 5.2: AEAD_AES_256_GCM).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sasld {

inline constexpr size_t kAeadKeyBytes = 32;
inline constexpr size_t kAeadNonceBytes = 12;
inline constexpr size_t kAeadTagBytes = 16;

// Appends ciphertext and tag to `out`. `associated` is authenticated, not contained. A nonce must
// never serve twice under one key. False, with `out` as it was: OpenSSL cannot.
bool AeadSeal(std::string_view key, std::string_view nonce, std::string_view associated,
              std::string_view plaintext, std::string& out);

// Writes the plaintext, kAeadTagBytes shorter than `sealed`, to `out`. False: not sealed under this
// key, nonce and associated data; what is at `out` then means nothing.
bool AeadOpen(std::string_view key, std::string_view nonce, std::string_view associated,
              std::string_view sealed, char* out);

}  // namespace sasld
