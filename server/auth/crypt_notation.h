// What crypt(5) writes: "$6$rounds=10000$salt$hash", "$y$j9T$salt$hash", "yGr45gD/oh022" ... This
// knows the shape and the cost of each method; the hashing is in crypt_hash.h.
//
// All methods of libcrypt are taken, those too that nobody should use today: DES (eight characters
// count, and a guess costs nothing), BSDI's DES, MD5-crypt, Sun's MD5, SHA-1, NT, bcrypt's "$2x$"
// with its defect. A hash is here because its user comes from elsewhere; to refuse it would not
// make it stronger but keep the user out, and the first login replaces it. Apache's "$apr1$" is
// taken as well.  Not taken: bcrypt's first "$2$", which libcrypt does not know; DES for more than
// eight characters ("bigcrypt" and "crypt16"), which nothing tells from each other.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace sasld {

// Apache's variant of MD5-crypt, the only method here that libcrypt lacks.
inline constexpr std::string_view kApr1Prefix = "$apr1$";

// InvalidArgument: no such method, not as its method writes it, or it costs more than this process
// will spend on one login: a second or two, and 256 MiB. Says which, and the limit; never
// repeats the hash.
absl::Status CheckCryptHash(std::string_view text);

}  // namespace sasld
