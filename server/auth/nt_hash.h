// What Windows and Samba keep of a password: MD4 of it in UTF-16. (The "$3$" of crypt(3) is this
// for ASCII only: it takes each byte for a character.)
#pragma once

#include <string_view>

#include "server/sasl/secret.h"

namespace sasld {

// Whether `digest` is the hash of this password; false if that is not UTF-8. Thread-safe;
// microseconds.
bool VerifyNtHash(std::string_view digest, const Secret& password);

}  // namespace sasld
