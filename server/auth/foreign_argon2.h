// Argon2 as others write it: "$argon2id$v=19$m=65536,t=3,p=1$salt$hash", without a pepper. Ours,
// with the pepper, are in password_hash.h.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/sasl/secret.h"

namespace sasld {

// InvalidArgument: not Argon2id or Argon2i of version 19 in the PHC notation, or it costs more than
// this process will spend on one login. Says which, and the limit; never repeats the hash.
absl::Status CheckForeignArgon2(std::string_view phc);

// Whether `phc` is a hash of this password. Thread-safe; takes up to a second of CPU and 256 MiB,
// as the hash says: call it on the hashing lane. InvalidArgument as above. ResourceExhausted: no
// memory.
absl::StatusOr<bool> VerifyForeignArgon2(std::string_view phc, const Secret& password);

}  // namespace sasld
