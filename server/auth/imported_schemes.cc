#include "server/auth/imported_schemes.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "proto/common/status_macros.h"
#include "server/auth/notation.h"

namespace sasld {
namespace {

using Kind = SchemeKind;
using Encoding = ValueEncoding;

constexpr ImportScheme Crypt(std::string_view name, std::string_view prefix) {
  return {.name = name, .canonical = "CRYPT", .prefix = prefix};
}

constexpr ImportScheme Digest(std::string_view name, std::string_view canonical,
                              DigestMethod method, size_t bytes, Encoding encoding) {
  return {name, canonical, Kind::kDigest, encoding, bytes, {}, method};
}

constexpr ImportScheme Salted(std::string_view name, DigestMethod method) {
  return {name, name, Kind::kDigest, Encoding::kBase64, 0, {}, method, true};
}

constexpr ImportScheme Fixed(std::string_view name, std::string_view canonical, Kind kind,
                             size_t bytes) {
  return {name, canonical, kind, Encoding::kHex, bytes};
}

constexpr ImportScheme Text(std::string_view name, std::string_view canonical, Kind kind,
                            std::string_view prefix = {}) {
  return {name, canonical, kind, Encoding::kNone, 0, prefix};
}

constexpr ImportScheme Scram(std::string_view name, Hash hash) {
  return {.name = name, .canonical = name, .kind = Kind::kScram, .hash = hash};
}

constexpr std::array kSchemes = {
    Text("PLAIN", "PLAIN", Kind::kPlaintext),
    Text("CLEAR", "PLAIN", Kind::kPlaintext),
    Text("CLEARTEXT", "PLAIN", Kind::kPlaintext),
    Crypt("CRYPT", ""),
    ImportScheme{.name = "DES-CRYPT", .canonical = "CRYPT", .bytes = 13},
    Crypt("MD5-CRYPT", "$1$"),
    Crypt("SHA256-CRYPT", "$5$"),
    Crypt("SHA512-CRYPT", "$6$"),
    Crypt("BLF-CRYPT", "$2"),
    Text("MD5", "LDAP-MD5", Kind::kMd5),
    Digest("PLAIN-MD4", "PLAIN-MD4", DigestMethod::kMd4, 16, Encoding::kHex),
    Digest("PLAIN-MD5", "LDAP-MD5", DigestMethod::kMd5, 16, Encoding::kHex),
    Digest("LDAP-MD5", "LDAP-MD5", DigestMethod::kMd5, 16, Encoding::kBase64),
    Digest("SHA", "SHA", DigestMethod::kSha1, 20, Encoding::kBase64),
    Digest("SHA1", "SHA", DigestMethod::kSha1, 20, Encoding::kBase64),
    Digest("SHA256", "SHA256", DigestMethod::kSha256, 32, Encoding::kBase64),
    Digest("SHA512", "SHA512", DigestMethod::kSha512, 64, Encoding::kBase64),
    Salted("SMD5", DigestMethod::kMd5),
    Salted("SSHA", DigestMethod::kSha1),
    Salted("SSHA256", DigestMethod::kSha256),
    Salted("SSHA512", DigestMethod::kSha512),
    Fixed("NTLM", "NTLM", Kind::kNt, 16),
    Fixed("NT", "NTLM", Kind::kNt, 16),
    Text("PBKDF2", "PBKDF2", Kind::kPbkdf2),
    Text("ARGON2", "ARGON2", Kind::kArgon2),
    Text("ARGON2I", "ARGON2", Kind::kArgon2, "$argon2i$"),
    Text("ARGON2ID", "ARGON2", Kind::kArgon2, "$argon2id$"),
    Scram("SCRAM-SHA-1", Hash::kSha1),
    Scram("SCRAM-SHA-224", Hash::kSha224),
    Scram("SCRAM-SHA-256", Hash::kSha256),
    Scram("SCRAM-SHA-384", Hash::kSha384),
    Scram("SCRAM-SHA-512", Hash::kSha512),
    Scram("SCRAM-SHA3-512", Hash::kSha3_512),
    Fixed("CRAM-MD5", "CRAM-MD5", Kind::kCramMd5, 32),
    Fixed("HMAC-MD5", "CRAM-MD5", Kind::kCramMd5, 32),
    Fixed("DIGEST-MD5", "DIGEST-MD5", Kind::kDigestMd5, 16),
};

// The longest salt behind a digest. OpenLDAP makes 4 or 8 bytes, others up to 16.
constexpr size_t kMaxSaltBytes = 64;

// Longer names than any that we know are not copied to be compared.
constexpr size_t kMaxNameBytes = 32;

// "SHA256.HEX" in any case. The second is nothing where there is no suffix.
struct NameAndEncoding {
  const ImportScheme& scheme;
  std::optional<Encoding> encoding;
};

absl::StatusOr<NameAndEncoding> FindScheme(std::string_view text) {
  const absl::Status unknown = absl::InvalidArgumentError(
      "the scheme in braces is none that sasld takes; a password in the clear is written {PLAIN}");
  if (text.size() > kMaxNameBytes) return unknown;
  const std::string upper = Capitals(text);
  std::string_view suffix = upper;
  const std::string_view name = TakeUntil(suffix, '.').value_or(upper);
  const auto* scheme = std::find_if(kSchemes.begin(), kSchemes.end(),
                                    [name](const ImportScheme& each) { return each.name == name; });
  if (scheme == kSchemes.end()) return unknown;
  if (name.size() == upper.size()) return NameAndEncoding{*scheme, std::nullopt};
  if (suffix == "HEX") return NameAndEncoding{*scheme, Encoding::kHex};
  if (suffix == "B64" || suffix == "BASE64") return NameAndEncoding{*scheme, Encoding::kBase64};
  return absl::InvalidArgumentError(
      "a scheme's name may end in .HEX, .B64 or .BASE64, and in no other suffix");
}

// Dovecot's rule where no suffix says it: what is twice as long as the digest is hexadecimal.
Encoding EncodingOf(const ImportScheme& scheme, size_t text_bytes) {
  if (scheme.encoding == Encoding::kNone || scheme.bytes == 0) return scheme.encoding;
  return text_bytes == 2 * scheme.bytes ? Encoding::kHex : Encoding::kBase64;
}

absl::StatusOr<Secret> Decode(const ImportScheme& scheme, Encoding encoding,
                              std::string_view text) {
  std::optional<Secret> value;
  switch (encoding) {
    case Encoding::kNone:
      return Secret(text);
    case Encoding::kHex:
      value = DecodeHex(text);
      break;
    case Encoding::kBase64:
      value = DecodePaddedOrNot(text);
      break;
  }
  if (value) return *std::move(value);
  return Refused({"the value of {", scheme.name, "} is not ",
                  encoding == Encoding::kHex ? "hexadecimal" : "base64"});
}

absl::Status CheckSize(const ImportScheme& scheme, size_t bytes) {
  if (scheme.bytes != 0 && bytes != scheme.bytes) {
    return Refused({"the value of {", scheme.name, "} has ", std::to_string(bytes),
                    " bytes instead of ", std::to_string(scheme.bytes)});
  }
  if (!scheme.salted) return absl::OkStatus();
  const size_t digest_bytes = DigestBytes(scheme.digest);
  if (bytes <= digest_bytes) {
    return Refused({"the value of {", scheme.name, "} has no salt, or is cut"});
  }
  if (bytes > digest_bytes + kMaxSaltBytes) {
    return Refused({"the salt of {", scheme.name, "} has more than ", std::to_string(kMaxSaltBytes),
                    " bytes"});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SchemeValue> ReadSchemeValue(std::string_view notation) {
  std::string_view text = notation;
  const bool opens = TakePrefix(text, "{");
  const std::optional<std::string_view> name = TakeUntil(text, '}');
  if (!opens || !name) return absl::InvalidArgumentError("'{' without a scheme and '}' behind it");
  ASSIGN_OR_RETURN(const NameAndEncoding found, FindScheme(*name));
  const Encoding encoding = found.encoding.value_or(EncodingOf(found.scheme, text.size()));
  ASSIGN_OR_RETURN(Secret value, Decode(found.scheme, encoding, text));
  RETURN_IF_ERROR(CheckSize(found.scheme, value.size()));
  return SchemeValue{found.scheme, std::move(value)};
}

}  // namespace sasld
