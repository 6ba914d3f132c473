// The key arithmetic of SCRAM (RFC 5802 section 3): StoredKey, ServerKey, proof, signature.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/sasl/hash.h"
#include "server/sasl/secret.h"

namespace sasld {

// Iteration counts that we accept. Least: RFC 7677 section 4. Most: what libsasl2 and gsasl take.
inline constexpr uint32_t kScramIterationsLeast = 4096;
inline constexpr uint32_t kScramIterationsMost = 65536;
inline constexpr size_t kScramSaltBytes = 16;

// What a server keeps of a password for one hash. Both have the hash's size.
struct ScramKeyPair {
  Secret stored_key;
  Secret server_key;

  ScramKeyPair Clone() const { return {stored_key.Clone(), server_key.Clone()}; }
};

// What a server keeps of a password for SCRAM: one salt and count for all hashes, so that one
// challenge fits whatever the client chose, and says nothing of which there are.
struct ScramVerifiers {
  std::string salt;
  uint32_t iterations = kScramIterationsLeast;
  std::map<Hash, ScramKeyPair> keys;  // at least one

  ScramVerifiers Clone() const;
};

// Keys of one of a user's passwords. `name` is the engine's, who knows which password it stands
// for.
struct ScramCandidate {
  std::string name;
  ScramKeyPair pair;
};

// What one exchange is run with: the keys of all passwords that the user may have typed, made with
// one salt and count, so that one challenge serves them all. `epoch` is the account's:
// it tells whether anything was changed between two steps.
struct ScramKeys {
  std::string salt;
  uint32_t iterations = kScramIterationsLeast;
  std::vector<ScramCandidate> candidates;  // at least one; decoys where there is none
  uint64_t epoch = 0;
};

// Keys of a password that is already prepared (SASLprep). Takes `iterations` HMACs: milliseconds.
ScramKeyPair DeriveScramKeyPair(Hash hash, const Secret& prepared_password, std::string_view salt,
                                uint32_t iterations);

// Whether ClientProof was made by one who knows the ClientKey of `pair`. RFC 5802 section 3:
// H(ClientProof XOR HMAC(StoredKey, AuthMessage)) = StoredKey. False for a proof of a wrong size.
bool ProofMatches(Hash hash, const ScramKeyPair& pair, std::string_view auth_message,
                  std::string_view client_proof);

// The one whose ClientKey the proof was made with; null if it is none's. Tries each, whichever
// fits, so that the time tells nothing but how many there are.
const ScramCandidate* FindProved(Hash hash, const std::vector<ScramCandidate>& candidates,
                                 std::string_view auth_message, std::string_view client_proof);

// ServerSignature := HMAC(ServerKey, AuthMessage).
std::string ServerSignature(Hash hash, const ScramKeyPair& pair, std::string_view auth_message);

}  // namespace sasld
