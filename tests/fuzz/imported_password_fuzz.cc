// Notations of foreign passwords: what is read is within its limits, and what would be stored reads
// as itself. Nothing costly is hashed.
#include "server/auth/imported_password.h"

#include <algorithm>
#include <string>
#include <variant>

#include "server/auth/verifier_match.h"
#include "server/sasl/password_equivalents.h"
#include "tests/fuzz/support.h"

namespace sasld {
namespace {

using fuzz::Require;

// Those that take microseconds.
bool IsCheap(std::string_view text) {
  for (const char* scheme : {"{LDAP-MD5}", "{PLAIN-MD4}", "{SHA", "{SMD5}", "{SSHA", "{NTLM}"}) {
    if (text.starts_with(scheme)) return true;
  }
  return text.starts_with("{CRYPT}$apr1$") || text.starts_with("{CRYPT}$1$") ||
         text.starts_with("{CRYPT}$3$");
}

void CheckHash(const std::string& text) {
  Require(IsImportedHash(text), "a stored hash is told from ours");
  Require(text.size() <= kMaxImportedBytes, "a stored hash has its limit");
  Require(std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; }),
          "a stored hash is visible ASCII");
  const absl::StatusOr<ImportedPassword> again = ReadImportedPassword(text);
  Require(again.ok() && std::holds_alternative<ImportedHash>(*again) &&
              std::get<ImportedHash>(*again).text == text,
          "a stored hash reads as itself");
  if (!IsCheap(text)) return;
  const absl::StatusOr<bool> matches = VerifyImportedHash(text, Secret("a password nobody has"));
  Require(matches.ok() && !*matches, "a cheap hash can be verified, and matches no password");
}

void CheckScram(const ScramVerifiers& scram) {
  Require(scram.iterations >= kScramIterationsLeast && scram.iterations <= kScramIterationsMost,
          "iterations have their limits");
  Require(!scram.salt.empty() && scram.keys.size() == 1, "a salt, and one pair of keys");
  for (const auto& [hash, pair] : scram.keys) {
    Require(pair.stored_key.size() == HashBytes(hash) && pair.server_key.size() == HashBytes(hash),
            "keys have their hash's size");
  }
}

void CheckRead(const ImportedPassword& read) {
  if (const auto* plaintext = std::get_if<ImportedPlaintext>(&read)) {
    const std::string_view password = plaintext->prepared_password.Reveal();
    Require(!password.empty() && password.find('\0') == std::string_view::npos,
            "a password is prepared");
  } else if (const auto* hash = std::get_if<ImportedHash>(&read)) {
    CheckHash(hash->text);
  } else if (const auto* scram = std::get_if<ScramVerifiers>(&read)) {
    CheckScram(*scram);
  } else if (const auto* cram_md5 = std::get_if<ImportedCramMd5>(&read)) {
    Require(!CramMd5Digest(cram_md5->states, "challenge").empty(), "states have their size");
    Require(!MatchesCramMd5(cram_md5->states, Secret("a password nobody has")),
            "states match no such password");
  } else if (const auto* digest_md5 = std::get_if<ImportedDigestMd5>(&read)) {
    Require(digest_md5->ha1.size() == kMd5Bytes, "HA1 has its size");
    Require(!MatchesDigestMd5(digest_md5->ha1, "user", "realm", Secret("a password nobody has")),
            "HA1 matches no such password");
  }
}

}  // namespace
}  // namespace sasld

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = sasld::fuzz::Text(data, size);
  const absl::StatusOr<sasld::ImportedPassword> read = sasld::ReadImportedPassword(input);
  if (read.ok()) {
    sasld::CheckRead(*read);
  } else {
    sasld::fuzz::Require(absl::IsInvalidArgument(read.status()), "a refusal is InvalidArgument");
  }
  return 0;
}
