#include "server/auth/pbkdf2_hash.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "proto/common/status_macros.h"
#include "server/auth/notation.h"
#include "server/sasl/hash.h"

namespace sasld {
namespace {

constexpr uint32_t kMaxRounds = 1000000;  // Dovecot makes 5000; this is 0.7 s
constexpr size_t kMaxSaltBytes = 64;      // Dovecot makes 16

bool IsVisible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

struct Pbkdf2Hash {
  std::string_view salt;
  uint32_t rounds = 0;
  Secret hash;
};

absl::StatusOr<Pbkdf2Hash> ReadPbkdf2(std::string_view text) {
  const absl::Status malformed =
      absl::InvalidArgumentError("the PBKDF2 hash is not written as $1$salt$rounds$hash");
  if (!TakePrefix(text, "$1$")) return malformed;
  const std::optional<std::string_view> salt = TakeUntil(text, '$');
  const std::optional<std::string_view> digits = TakeUntil(text, '$');
  if (!salt || salt->empty() || salt->size() > kMaxSaltBytes || !IsVisible(*salt) || !digits) {
    return malformed;
  }
  const std::optional<uint32_t> rounds = DecimalOf(*digits);
  std::optional<Secret> hash = DecodeHex(text);
  if (!rounds || *rounds == 0 || !hash || hash->size() != HashBytes(Hash::kSha1)) return malformed;
  if (*rounds > kMaxRounds) {
    return Refused(
        {"the PBKDF2 hash costs too much: rounds is limited to ", std::to_string(kMaxRounds)});
  }
  return Pbkdf2Hash{*salt, *rounds, *std::move(hash)};
}

}  // namespace

absl::Status CheckPbkdf2Hash(std::string_view text) { return ReadPbkdf2(text).status(); }

absl::StatusOr<bool> VerifyPbkdf2Hash(std::string_view text, const Secret& password) {
  ASSIGN_OR_RETURN(const Pbkdf2Hash pbkdf2, ReadPbkdf2(text));
  const Secret hash = Pbkdf2(Hash::kSha1, password.Reveal(), pbkdf2.salt, pbkdf2.rounds);
  return EqualsConstantTime(hash.Reveal(), pbkdf2.hash.Reveal());
}

}  // namespace sasld
