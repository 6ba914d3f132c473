#include "server/auth/imported_password.h"

#include <utility>
#include <variant>

#include "proto/common/status_macros.h"
#include "server/auth/crypt_hash.h"
#include "server/auth/crypt_notation.h"
#include "server/auth/foreign_argon2.h"
#include "server/auth/imported_schemes.h"
#include "server/auth/notation.h"
#include "server/auth/nt_hash.h"
#include "server/auth/pbkdf2_hash.h"
#include "server/auth/scram_notation.h"
#include "server/sasl/base64.h"
#include "server/sasl/password_equivalents.h"

namespace sasld {
namespace {

ImportedHash Canonical(std::string_view scheme, std::string_view value) {
  return {Concatenated({"{", scheme, "}", value})};
}

absl::StatusOr<ImportedPassword> ReadPlaintext(std::string_view value) {
  absl::StatusOr<Secret> prepared = PreparePassword(value);
  if (!prepared.ok()) {
    return Refused({"the password in the clear ", std::string(prepared.status().message())});
  }
  return ImportedPlaintext{*std::move(prepared)};
}

absl::StatusOr<ImportedPassword> ReadHash(const ImportScheme& scheme, std::string_view value,
                                          absl::Status (*check)(std::string_view)) {
  if (!value.starts_with(scheme.prefix)) {
    return Refused({"the value of {", scheme.name, "} does not begin with ", scheme.prefix});
  }
  RETURN_IF_ERROR(check(value));
  return Canonical(scheme.canonical, value);
}

// Dovecot's {MD5} is MD5-crypt or what {PLAIN-MD5} has; OpenLDAP's is what {LDAP-MD5} has.
absl::StatusOr<ImportedPassword> ReadMd5(std::string_view value) {
  return ReadImportedPassword(
      Concatenated({value.starts_with('$') ? "{MD5-CRYPT}" : "{PLAIN-MD5}", value}));
}

// Dovecot has the outer state in front.
ImportedCramMd5 ReadCramMd5(std::string_view value) {
  return {Secret::Joined(Secret(value.substr(kMd5Bytes)), Secret(value.substr(0, kMd5Bytes)))};
}

absl::StatusOr<ImportedPassword> ReadValue(const ImportScheme& scheme, std::string_view value) {
  switch (scheme.kind) {
    case SchemeKind::kPlaintext:
      return ReadPlaintext(value);
    case SchemeKind::kCrypt:
      return ReadHash(scheme, value, CheckCryptHash);
    case SchemeKind::kMd5:
      return ReadMd5(value);
    case SchemeKind::kDigest:
      return Canonical(scheme.canonical, EncodeBase64(value));
    case SchemeKind::kNt:
      return Canonical(scheme.canonical, EncodeHex(value));
    case SchemeKind::kPbkdf2:
      return ReadHash(scheme, value, CheckPbkdf2Hash);
    case SchemeKind::kArgon2:
      return ReadHash(scheme, value, CheckForeignArgon2);
    case SchemeKind::kScram:
      return ReadDovecotScram(scheme.hash, value);
    case SchemeKind::kCramMd5:
      return ReadCramMd5(value);
    case SchemeKind::kDigestMd5:
      return ImportedDigestMd5{Secret(value)};
  }
  return absl::InternalError("a scheme without a reader");
}

// Whether `scheme`'s `value` is a hash of the password. DataLoss for schemes that are no hashes.
absl::StatusOr<bool> VerifyValue(const ImportScheme& scheme, std::string_view value,
                                 const Secret& password) {
  switch (scheme.kind) {
    case SchemeKind::kCrypt:
      return VerifyCryptHash(value, password);
    case SchemeKind::kDigest:
      return VerifyDigestHash(scheme.digest, value, password);
    case SchemeKind::kNt:
      return VerifyNtHash(value, password);
    case SchemeKind::kPbkdf2:
      return VerifyPbkdf2Hash(value, password);
    case SchemeKind::kArgon2:
      return VerifyForeignArgon2(value, password);
    case SchemeKind::kPlaintext:
    case SchemeKind::kMd5:
    case SchemeKind::kScram:
    case SchemeKind::kCramMd5:
    case SchemeKind::kDigestMd5:
      break;
  }
  return absl::DataLossError("the stored text is no imported hash");
}

// Before anything is decoded or copied.
absl::Status CheckLength(std::string_view notation) {
  if (notation.empty()) return absl::InvalidArgumentError("there is no password");
  if (notation.size() <= kMaxImportedBytes) return absl::OkStatus();
  return Refused({"longer than ", std::to_string(kMaxImportedBytes),
                  " bytes, which no password's notation is"});
}

}  // namespace

absl::StatusOr<ImportedPassword> ReadImportedPassword(std::string_view notation) {
  RETURN_IF_ERROR(CheckLength(notation));
  if (notation.front() == '{') {
    ASSIGN_OR_RETURN(const SchemeValue read, ReadSchemeValue(notation));
    return ReadValue(read.scheme, read.value.Reveal());
  }
  if (notation.starts_with("$argon2")) {
    RETURN_IF_ERROR(CheckForeignArgon2(notation));
    return Canonical("ARGON2", notation);
  }
  if (notation.front() == '$') {
    RETURN_IF_ERROR(CheckCryptHash(notation));
    return Canonical("CRYPT", notation);
  }
  if (Capitals(notation.substr(0, 6)) == "SCRAM-" && notation.find('$') != std::string_view::npos) {
    return ReadRfc5803Scram(notation);
  }
  return absl::InvalidArgumentError(
      "neither a {SCHEME} nor a $...$ in front: write {PLAIN} before a password in the clear, and "
      "{CRYPT} before a DES hash");
}

absl::StatusOr<bool> VerifyImportedHash(std::string_view hash, const Secret& password) {
  if (!IsImportedHash(hash) || !CheckLength(hash).ok()) {
    return absl::DataLossError("the stored text is no imported hash");
  }
  // What is stored was read before and within all limits; they are checked again, as a store may be
  // written by others.
  const absl::StatusOr<ImportedPassword> again = ReadImportedPassword(hash);
  const ImportedHash* canonical = again.ok() ? std::get_if<ImportedHash>(&*again) : nullptr;
  if (canonical == nullptr || canonical->text != hash) {
    return absl::DataLossError("the stored imported hash makes no sense, or costs too much");
  }
  // No password has a NUL. crypt(3) would cut there, and to PBKDF2 one at the end is as if none
  // were.
  if (password.Reveal().find('\0') != std::string_view::npos) return false;
  ASSIGN_OR_RETURN(const SchemeValue read, ReadSchemeValue(hash));
  return VerifyValue(read.scheme, read.value.Reveal(), password);
}

}  // namespace sasld
