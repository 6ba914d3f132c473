#include "server/auth/scram_notation.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "server/auth/notation.h"
#include "server/sasl/base64.h"

namespace sasld {
namespace {

// Tools make 12 to 16 bytes. The salt is sent in every challenge.
constexpr size_t kLeastSaltBytes = 8;
constexpr size_t kMostSaltBytes = 64;

// The four values as they are written; cut apart by the caller.
struct ScramTexts {
  std::optional<std::string_view> iterations;
  std::optional<std::string_view> salt;
  std::optional<std::string_view> stored_key;
  std::string_view server_key;
};

absl::Status Malformed() {
  return absl::InvalidArgumentError("the SCRAM verifier is malformed or cut");
}

absl::StatusOr<ScramVerifiers> Verifiers(Hash hash, const ScramTexts& texts) {
  if (!texts.iterations || !texts.salt || !texts.stored_key) return Malformed();
  const std::optional<uint32_t> iterations = DecimalOf(*texts.iterations);
  std::optional<std::string> salt = DecodeBase64(*texts.salt);
  std::optional<Secret> stored_key = DecodeBase64Secret(*texts.stored_key);
  std::optional<Secret> server_key = DecodeBase64Secret(texts.server_key);
  if (!iterations || !salt || salt->size() < kLeastSaltBytes || salt->size() > kMostSaltBytes ||
      !stored_key || stored_key->size() != HashBytes(hash) || !server_key ||
      server_key->size() != HashBytes(hash)) {
    return Malformed();
  }
  if (*iterations < kScramIterationsLeast || *iterations > kScramIterationsMost) {
    return Refused({"the SCRAM verifier's iteration count is not between ",
                    std::to_string(kScramIterationsLeast), " and ",
                    std::to_string(kScramIterationsMost), "; clients would not take it"});
  }
  ScramVerifiers verifiers{*std::move(salt), *iterations, {}};
  verifiers.keys.emplace(hash, ScramKeyPair{*std::move(stored_key), *std::move(server_key)});
  return verifiers;
}

}  // namespace

absl::StatusOr<ScramVerifiers> ReadDovecotScram(Hash hash, std::string_view text) {
  ScramTexts texts;
  texts.iterations = TakeUntil(text, ',');
  texts.salt = TakeUntil(text, ',');
  texts.stored_key = TakeUntil(text, ',');
  texts.server_key = text;
  return Verifiers(hash, texts);
}

absl::StatusOr<ScramVerifiers> ReadRfc5803Scram(std::string_view text) {
  const std::optional<std::string_view> scheme = TakeUntil(text, '$');
  if (!scheme) return Malformed();
  for (const Hash hash : kAllHashes) {
    if (Capitals(*scheme) != Concatenated({"SCRAM-", NameOf(hash)})) continue;
    ScramTexts texts;
    texts.iterations = TakeUntil(text, ':');
    texts.salt = TakeUntil(text, '$');
    texts.stored_key = TakeUntil(text, ':');
    texts.server_key = text;
    return Verifiers(hash, texts);
  }
  return absl::InvalidArgumentError("a SCRAM verifier of a hash function that sasld has not");
}

}  // namespace sasld
