// A password against whatever is kept of it. Users who were imported may have no Argon2id hash
// before their first login.
#pragma once

#include "absl/status/statusor.h"
#include "server/auth/password_hash.h"
#include "server/sasl/secret.h"
#include "storage/store.h"

namespace sasld {

// Whether there is anything that a password can be checked against.
bool CanCheckPassword(const Credential& credential);

// Against the best that there is, of which there must be something. Call it on the hashing lane.
// Errors as PasswordHasher::Verify and VerifyImportedHash.
absl::StatusOr<bool> PasswordMatches(const PasswordHasher& hasher, const Account& account,
                                     const Secret& prepared_password);

// Whether a password that matches the one matches the other.
bool IsSameVerifier(const Credential& a, const Credential& b);

}  // namespace sasld
