// Dovecot's {PBKDF2}: "$1$salt$rounds$hash" with HMAC-SHA-1, the salt as it stands, the hash in
// hexadecimal.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/sasl/secret.h"

namespace sasld {

// InvalidArgument: not as above, or more rounds than this process will spend on one login.
absl::Status CheckPbkdf2Hash(std::string_view text);

// Whether `text` is a hash of this password. Up to a second of CPU: call it on the hashing lane.
// InvalidArgument as above.
absl::StatusOr<bool> VerifyPbkdf2Hash(std::string_view text, const Secret& password);

}  // namespace sasld
