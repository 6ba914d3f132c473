#include "server/sasl/scram_keys.h"

namespace sasld {

ScramVerifiers ScramVerifiers::Clone() const {
  ScramVerifiers clone{salt, iterations, {}};
  for (const auto& [hash, pair] : keys) clone.keys.emplace(hash, pair.Clone());
  return clone;
}

ScramKeyPair DeriveScramKeyPair(Hash hash, const Secret& prepared_password, std::string_view salt,
                                uint32_t iterations) {
  // RFC 5802 s.3: SaltedPassword := Hi(Normalize(password), salt, i)
  const Secret salted_password = Pbkdf2(hash, prepared_password.Reveal(), salt, iterations);
  const Secret client_key = Hmac(hash, salted_password.Reveal(), "Client Key");
  return {Digest(hash, client_key.Reveal()), Hmac(hash, salted_password.Reveal(), "Server Key")};
}

bool ProofMatches(Hash hash, const ScramKeyPair& pair, std::string_view auth_message,
                  std::string_view client_proof) {
  Secret client_key = Hmac(hash, pair.stored_key.Reveal(), auth_message);
  if (client_proof.size() != client_key.size()) return false;
  for (size_t i = 0; i < client_key.size(); ++i) client_key.Bytes()[i] ^= client_proof[i];
  return EqualsConstantTime(Digest(hash, client_key.Reveal()).Reveal(), pair.stored_key.Reveal());
}

const ScramCandidate* FindProved(Hash hash, const std::vector<ScramCandidate>& candidates,
                                 std::string_view auth_message, std::string_view client_proof) {
  const ScramCandidate* proved = nullptr;
  for (const ScramCandidate& candidate : candidates) {
    if (ProofMatches(hash, candidate.pair, auth_message, client_proof)) proved = &candidate;
  }
  return proved;
}

std::string ServerSignature(Hash hash, const ScramKeyPair& pair, std::string_view auth_message) {
  // No secret: it is sent.
  std::string signature;
  signature.append(Hmac(hash, pair.server_key.Reveal(), auth_message).Reveal());
  return signature;
}

}  // namespace sasld
