// Verifies what crypt(3) hashed, and Apache's "$apr1$".
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "server/sasl/secret.h"

namespace sasld {

// Whether `text`, which CheckCryptHash() (crypt_notation.h) accepts, is a hash of this password.
// False for a password with a NUL, which crypt(3) would cut there, and for one that is too long for
// it. bcrypt looks at the first 72 bytes of a password and DES at the first eight.
//
// Thread-safe. Takes up to two seconds of CPU and 256 MiB, as the hash says (SHA-crypt of a
// password of hundreds of bytes three): call it on the hashing lane. DataLoss: libcrypt cannot read
// the hash, or does not have its method. ResourceExhausted: no memory.
absl::StatusOr<bool> VerifyCryptHash(std::string_view text, const Secret& password);

}  // namespace sasld
