// Passwords that come from elsewhere, as other mail servers, LDAP directories and /etc/shadow write
// them: Dovecot's "{SCHEME}value", what crypt(3) makes, SCRAM verifiers as of RFC 5803.
//
// A user who is imported with a hash logs in with PLAIN or LOGIN by it, once; what we keep of a
// password ourselves replaces it then. Weak schemes are taken for that reason: to refuse them would
// keep users out and make no hash stronger. Until then a login takes as long as the imported hash
// does, which differs from what an unknown user takes; only the delay of failures hides that.
//
// Which bytes were hashed? We prepare a password (SASLprep) before it is checked, others hashed it
// as it was typed. For ASCII both are the same, and for nearly all other text too, as keyboards
// yield NFC. They differ where NFKC changes a character (ligatures, full-width letters, no-break
// spaces), where a client sends decomposed letters, and where the hash was made of ISO 8859-1
// bytes. So verify with the prepared form first, and where that fails and the bytes that the client
// sent are another text, with those.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "server/sasl/saslprep.h"
#include "server/sasl/scram_keys.h"
#include "server/sasl/secret.h"

namespace sasld {

// Longest notation that is read: the longest password in hexadecimal, and its scheme.
inline constexpr size_t kMaxImportedBytes = 2 * kMaxPasswordBytes + 64;

// The password itself, prepared: to be derived from at once.
struct ImportedPlaintext {
  Secret prepared_password;
};

// What a password can be verified against and nothing else. `text` is canonical, "{SCHEME}value":
// reading it yields itself. Such a text begins with '{', which none of our own hashes does.
struct ImportedHash {
  std::string text;
};

// The states of HMAC-MD5 as CramMd5States() makes them (server/sasl/password_equivalents.h).
// Dovecot writes the outer state first, we the inner.
struct ImportedCramMd5 {
  Secret states;
};

// H(username:realm:passwd), 16 bytes. Which name and realm were hashed, it does not say: Dovecot's
// doveadm takes them from "name@realm".
struct ImportedDigestMd5 {
  Secret ha1;
};

// The last three are verifiers of a mechanism; a password is checked against them by
// verifier_match.h.
using ImportedPassword = std::variant<ImportedPlaintext, ImportedHash, ScramVerifiers,
                                      ImportedCramMd5, ImportedDigestMd5>;

// Reads
// - "{SCHEME}value" with Dovecot's schemes PLAIN, CLEAR, CLEARTEXT; CRYPT, DES-CRYPT, MD5-CRYPT,
//   SHA256-CRYPT, SHA512-CRYPT, BLF-CRYPT; MD5, PLAIN-MD5, LDAP-MD5, SMD5, SHA, SHA1, SSHA, SHA256,
//   SSHA256, SHA512, SSHA512; PBKDF2, ARGON2I, ARGON2ID; NTLM; CRAM-MD5, HMAC-MD5, DIGEST-MD5; and
//   SCRAM- with a hash that we have. Also NT (the same as NTLM) and OpenLDAP's ARGON2. In any case,
//   with Dovecot's suffixes .HEX, .B64, .BASE64: without one a digest of fixed size is hexadecimal
//   if it is twice as long as that, and otherwise base64, as salted digests always are.
// - what crypt(3) makes and begins with "$" (crypt_notation.h), "$argon2id$" and "$argon2i$".
// - "SCRAM-SHA-256$4096:salt$StoredKey:ServerKey".
//
// Hashes nothing: microseconds. Thread-safe. InvalidArgument, in words for who wrote the text and
// without repeating it: no such notation, malformed, or of a cost above the limits, which keep a
// hostile hash from taking all memory or seconds of CPU at each attempt.
absl::StatusOr<ImportedPassword> ReadImportedPassword(std::string_view notation);

// Whether a stored text is an ImportedHash, and not our own Argon2id.
constexpr bool IsImportedHash(std::string_view text) { return text.starts_with('{'); }

// Whether `hash`, the text of an ImportedHash, is one of this password. Which bytes: see above.
// False for a password with a NUL.
//
// Thread-safe. Takes up to two seconds of CPU and 256 MiB, as the hash says: call it on the hashing
// lane. DataLoss: not what ReadImportedPassword() makes, or libcrypt lacks its method.
// ResourceExhausted: no memory.
absl::StatusOr<bool> VerifyImportedHash(std::string_view hash, const Secret& password);

}  // namespace sasld
