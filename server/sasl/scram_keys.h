// The key arithmetic of SCRAM (RFC 5802 section 3): Hi, StoredKey, ServerKey, proof, signature.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/sasl/secret.h"

namespace sasld {

enum class ScramHash { kSha256 };

// Iteration counts that we accept. Least: RFC 7677 section 4. Most: what libsasl2 and gsasl take.
inline constexpr uint32_t kScramIterationsLeast = 4096;
inline constexpr uint32_t kScramIterationsMost = 65536;
inline constexpr size_t kScramSaltBytes = 16;

// What the server needs to check a client and to prove itself. StoredKey and ServerKey have the
// hash's size. `epoch` is the account's: keys of two epochs never serve one exchange.
struct ScramKeys {
  std::string salt;
  uint32_t iterations = kScramIterationsLeast;
  Secret stored_key;
  Secret server_key;
  uint64_t epoch = 0;
};

// Bytes of the hash's output.
size_t ScramHashBytes(ScramHash hash);

// Keys of a password that is already prepared (SASLprep). Takes `iterations` HMACs: milliseconds.
ScramKeys DeriveScramKeys(ScramHash hash, const Secret& prepared_password, std::string_view salt,
                          uint32_t iterations);

// HMAC(key, message) of the hash.
Secret ScramHmac(ScramHash hash, std::string_view key, std::string_view message);

// Whether ClientProof was made by one who knows the ClientKey of `keys`. RFC 5802 section 3:
// H(ClientProof XOR HMAC(StoredKey, AuthMessage)) = StoredKey. False for a proof of a wrong size.
bool ProofMatches(ScramHash hash, const ScramKeys& keys, std::string_view auth_message,
                  std::string_view client_proof);

// ServerSignature := HMAC(ServerKey, AuthMessage).
std::string ServerSignature(ScramHash hash, const ScramKeys& keys, std::string_view auth_message);

}  // namespace sasld
