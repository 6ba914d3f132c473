// SHA-256 by OpenSSL's low-level calls, deprecated but several times cheaper than EVP for messages
// of a few hundred bytes: no fetch, no allocation.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "server/sasl/scram_keys.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <cstring>

namespace sasld {
namespace {

constexpr size_t kBlockBytes = 64;
using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

std::string_view AsText(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Digest Sha256(std::string_view message) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data());
  return digest;
}

// HMAC (RFC 2104) with SHA-256.
Digest HmacSha256(std::string_view key, std::string_view message) {
  std::array<unsigned char, kBlockBytes> pad{};
  if (key.size() > kBlockBytes) {
    const Digest digest = Sha256(key);
    std::memcpy(pad.data(), digest.data(), digest.size());
  } else if (!key.empty()) {
    std::memcpy(pad.data(), key.data(), key.size());
  }
  for (unsigned char& byte : pad) byte ^= 0x36;
  SHA256_CTX context;
  Digest digest;
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  SHA256_Update(&context, message.data(), message.size());
  SHA256_Final(digest.data(), &context);
  for (unsigned char& byte : pad) byte ^= 0x36 ^ 0x5c;
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  SHA256_Update(&context, digest.data(), digest.size());
  SHA256_Final(digest.data(), &context);
  WipeMemory(pad.data(), pad.size());
  WipeMemory(&context, sizeof context);
  return digest;
}

}  // namespace

size_t ScramHashBytes(ScramHash hash) {
  switch (hash) {
    case ScramHash::kSha256:
      return SHA256_DIGEST_LENGTH;
  }
  return 0;
}

Secret ScramHmac(ScramHash hash, std::string_view key, std::string_view message) {
  switch (hash) {
    case ScramHash::kSha256:
      return Secret(AsText(HmacSha256(key, message)));
  }
  return {};
}

ScramKeys DeriveScramKeys(ScramHash hash, const Secret& prepared_password, std::string_view salt,
                          uint32_t iterations) {
  // RFC 5802 s.2.2: Hi() is PBKDF2 with HMAC() and dkLen == output length of HMAC().
  const std::string_view password = prepared_password.Reveal();
  Secret salted_password = Secret::Zeros(ScramHashBytes(hash));
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                    reinterpret_cast<const unsigned char*>(salt.data()),
                    static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                    static_cast<int>(salted_password.size()),
                    reinterpret_cast<unsigned char*>(salted_password.Bytes()));

  ScramKeys keys;
  keys.salt = salt;
  keys.iterations = iterations;
  const Secret client_key = ScramHmac(hash, salted_password.Reveal(), "Client Key");
  keys.stored_key = Secret(AsText(Sha256(client_key.Reveal())));
  keys.server_key = ScramHmac(hash, salted_password.Reveal(), "Server Key");
  return keys;
}

bool ProofMatches(ScramHash hash, const ScramKeys& keys, std::string_view auth_message,
                  std::string_view client_proof) {
  const Secret client_signature = ScramHmac(hash, keys.stored_key.Reveal(), auth_message);
  if (client_proof.size() != client_signature.size()) return false;
  Secret client_key = client_signature.Clone();
  for (size_t i = 0; i < client_key.size(); ++i) client_key.Bytes()[i] ^= client_proof[i];
  return EqualsConstantTime(AsText(Sha256(client_key.Reveal())), keys.stored_key.Reveal());
}

std::string ServerSignature(ScramHash hash, const ScramKeys& keys, std::string_view auth_message) {
  return std::string(ScramHmac(hash, keys.server_key.Reveal(), auth_message).Reveal());
}

}  // namespace sasld
