#include "server/auth/verifier_match.h"

#include <string>

#include "server/sasl/password_equivalents.h"

namespace sasld {

bool MatchesScram(const ScramVerifiers& verifiers, const Secret& prepared_password) {
  if (verifiers.keys.empty()) return false;
  const auto& [hash, pair] = *verifiers.keys.begin();
  const ScramKeyPair derived =
      DeriveScramKeyPair(hash, prepared_password, verifiers.salt, verifiers.iterations);
  return EqualsConstantTime(derived.stored_key.Reveal(), pair.stored_key.Reveal());
}

bool MatchesCramMd5(const Secret& states, const Secret& prepared_password) {
  return EqualsConstantTime(CramMd5States(prepared_password).Reveal(), states.Reveal());
}

bool MatchesDigestMd5(const Secret& ha1, std::string_view username, std::string_view realm,
                      const Secret& prepared_password) {
  const Secret derived = DigestMd5Ha1(username, realm, prepared_password);
  if (EqualsConstantTime(derived.Reveal(), ha1.Reveal())) return true;
  std::string before(username);
  before.append(":").append(realm).append(":");
  const Secret utf8 = Md5(Secret::Joined(Secret(before), prepared_password).Reveal());
  return EqualsConstantTime(utf8.Reveal(), ha1.Reveal());
}

}  // namespace sasld
