// Whether a password is the one that verifiers of a mechanism were made of. For a user who was
// imported with such verifiers and nothing else, and who logs in with PLAIN or LOGIN.
//
// All thread-safe and pure.
#pragma once

#include <string_view>

#include "server/sasl/scram_keys.h"
#include "server/sasl/secret.h"

namespace sasld {

// Derives the StoredKey of the first hash that is there. Takes the verifiers' iterations: up to
// some ten milliseconds; call it on the hashing lane. False if there are no keys.
bool MatchesScram(const ScramVerifiers& verifiers, const Secret& prepared_password);

// `states` as CramMd5States() makes them. Microseconds. False for a wrong size.
bool MatchesCramMd5(const Secret& states, const Secret& prepared_password);

// H(username:realm:passwd) of RFC 2831, 16 bytes; false for a wrong size. Both the form of section
// 2.1.2.1, in ISO 8859-1 where it can be, and all of it in UTF-8, as Dovecot has it. Microseconds.
bool MatchesDigestMd5(const Secret& ha1, std::string_view username, std::string_view realm,
                      const Secret& prepared_password);

}  // namespace sasld
