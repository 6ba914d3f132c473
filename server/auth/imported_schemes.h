// The {SCHEME}s that passwords are imported in, as a table, and their encodings.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/auth/digest_hash.h"
#include "server/sasl/hash.h"
#include "server/sasl/secret.h"

namespace sasld {

enum class SchemeKind {
  kPlaintext,
  kCrypt,   // crypt_notation.h
  kMd5,     // Dovecot's {MD5}: "$1$..." or what {PLAIN-MD5} has
  kDigest,  // digest_hash.h
  kNt,      // nt_hash.h
  kPbkdf2,  // pbkdf2_hash.h
  kArgon2,  // foreign_argon2.h
  kScram,   // scram_notation.h
  kCramMd5,
  kDigestMd5,
};

// How a value is written where the scheme's name has no suffix that says it.
enum class ValueEncoding { kNone, kHex, kBase64 };

struct ImportScheme {
  std::string_view name;
  // The name that the stored text has; schemes that mean the same share it.
  std::string_view canonical;
  SchemeKind kind = SchemeKind::kCrypt;
  ValueEncoding encoding = ValueEncoding::kNone;
  size_t bytes = 0;  // of the decoded value; 0: it varies
  // kCrypt, kArgon2: what the value begins with.
  std::string_view prefix = {};
  // kDigest.
  DigestMethod digest = DigestMethod::kMd5;
  bool salted = false;
  // kScram.
  Hash hash = Hash::kSha1;
};

struct SchemeValue {
  const ImportScheme& scheme;  // lives as long as the process
  Secret value;                // decoded, of scheme.bytes if that is not 0
};

// Cuts "{SCHEME}value" or "{SCHEME.ENCODING}value" apart and decodes the value. InvalidArgument: no
// such scheme or encoding, or the value is not so encoded, or has another size.
absl::StatusOr<SchemeValue> ReadSchemeValue(std::string_view notation);

}  // namespace sasld
