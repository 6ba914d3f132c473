// "$apr1$salt$hash" of Apache's htpasswd: MD5-crypt with another word in it. libcrypt lacks it.
#pragma once

#include <string_view>

#include "server/sasl/secret.h"

namespace sasld {

// Whether `text`, which CheckCryptHash() (crypt_notation.h) accepts, is a hash of this password.
// A millisecond.
bool VerifyApr1Hash(std::string_view text, const Secret& password);

}  // namespace sasld
