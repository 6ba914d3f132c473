// SCRAM verifiers as others write them. No password is in them, but they can check one
// (verifier_match.h).
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "server/sasl/hash.h"
#include "server/sasl/scram_keys.h"

namespace sasld {

// Dovecot's {SCRAM-SHA-256}: "4096,salt,StoredKey,ServerKey", the last three in base64.
// InvalidArgument: not so written, or an iteration count that no SCRAM exchange here may have
// (kScramIterationsLeast, kScramIterationsMost).
absl::StatusOr<ScramVerifiers> ReadDovecotScram(Hash hash, std::string_view text);

// RFC 5803 section 2, PostgreSQL: "SCRAM-SHA-256$4096:salt$StoredKey:ServerKey". InvalidArgument as
// above, and for a hash that we do not have.
absl::StatusOr<ScramVerifiers> ReadRfc5803Scram(std::string_view text);

}  // namespace sasld
