// Passwords hashed once, with a salt behind them or without: what LDAP directories keep (RFC 2307,
// OpenLDAP) and Dovecot takes.
#pragma once

#include <cstddef>
#include <string_view>

#include "server/sasl/secret.h"

namespace sasld {

enum class DigestMethod { kMd4, kMd5, kSha1, kSha256, kSha512 };

size_t DigestBytes(DigestMethod method);

// Whether `digest_and_salt`, which has DigestBytes() at least, is H(password, salt) and the salt.
// Microseconds. Thread-safe.
bool VerifyDigestHash(DigestMethod method, std::string_view digest_and_salt,
                      const Secret& password);

}  // namespace sasld
