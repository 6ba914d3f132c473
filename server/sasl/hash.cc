// SHA-1 and SHA-2 by OpenSSL's low-level calls, deprecated but several times cheaper than EVP for
// messages of a few hundred bytes: no fetch, no allocation. SHA-3 has no such calls.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "server/sasl/hash.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace sasld {
namespace {

// OpenSSL may lack a hash (by its configuration) or memory. The zeros that it would leave behind
// fit each other, the proof of a client who knows nothing included: better no process than that.
void Demand(int done) {
  if (done != 1) std::abort();
}

template <typename State, int (*Start)(State*), int (*Add)(State*, const void*, size_t),
          int (*End)(unsigned char*, State*), size_t block_bytes, size_t digest_bytes>
class LowLevel {
 public:
  static constexpr size_t kBlockBytes = block_bytes;
  static constexpr size_t kDigestBytes = digest_bytes;

  LowLevel() { Demand(Start(&state_)); }
  ~LowLevel() { WipeMemory(&state_, sizeof state_); }
  LowLevel(const LowLevel&) = delete;
  LowLevel& operator=(const LowLevel&) = delete;
  void Update(const void* bytes, size_t size) { Demand(Add(&state_, bytes, size)); }
  void Final(unsigned char* digest) { Demand(End(digest, &state_)); }

 private:
  State state_;
};

using Sha1 = LowLevel<SHA_CTX, SHA1_Init, SHA1_Update, SHA1_Final, 64, 20>;
using Sha224 = LowLevel<SHA256_CTX, SHA224_Init, SHA224_Update, SHA224_Final, 64, 28>;
using Sha256 = LowLevel<SHA256_CTX, SHA256_Init, SHA256_Update, SHA256_Final, 64, 32>;
using Sha384 = LowLevel<SHA512_CTX, SHA384_Init, SHA384_Update, SHA384_Final, 128, 48>;
using Sha512 = LowLevel<SHA512_CTX, SHA512_Init, SHA512_Update, SHA512_Final, 128, 64>;

class Sha3_512 {
 public:
  static constexpr size_t kBlockBytes = 72;
  static constexpr size_t kDigestBytes = 64;

  Sha3_512() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    Demand(EVP_DigestInit_ex(context_.get(), EVP_sha3_512(), nullptr));
  }
  void Update(const void* bytes, size_t size) {
    Demand(EVP_DigestUpdate(context_.get(), bytes, size));
  }
  void Final(unsigned char* digest) { Demand(EVP_DigestFinal_ex(context_.get(), digest, nullptr)); }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

template <typename Algorithm>
Secret DigestWith(std::string_view message) {
  Secret digest = Secret::Zeros(Algorithm::kDigestBytes);
  Algorithm algorithm;
  algorithm.Update(message.data(), message.size());
  algorithm.Final(reinterpret_cast<unsigned char*>(digest.Bytes()));
  return digest;
}

template <typename Algorithm>
Secret HmacWith(std::string_view key, std::string_view message) {
  std::array<unsigned char, Algorithm::kBlockBytes> pad{};
  if (key.size() > pad.size()) {
    const Secret digest = DigestWith<Algorithm>(key);
    std::memcpy(pad.data(), digest.Reveal().data(), digest.size());
  } else if (!key.empty()) {
    std::memcpy(pad.data(), key.data(), key.size());
  }
  Secret digest = Secret::Zeros(Algorithm::kDigestBytes);
  auto* out = reinterpret_cast<unsigned char*>(digest.Bytes());
  for (unsigned char& byte : pad) byte ^= 0x36;
  Algorithm inner;
  inner.Update(pad.data(), pad.size());
  inner.Update(message.data(), message.size());
  inner.Final(out);
  for (unsigned char& byte : pad) byte ^= 0x36 ^ 0x5c;
  Algorithm outer;
  outer.Update(pad.data(), pad.size());
  outer.Update(out, Algorithm::kDigestBytes);
  outer.Final(out);
  WipeMemory(pad.data(), pad.size());
  return digest;
}

const EVP_MD* ForPbkdf2(Hash hash) {
  switch (hash) {
    case Hash::kSha1:
      return EVP_sha1();
    case Hash::kSha224:
      return EVP_sha224();
    case Hash::kSha256:
      return EVP_sha256();
    case Hash::kSha384:
      return EVP_sha384();
    case Hash::kSha512:
      return EVP_sha512();
    case Hash::kSha3_512:
      return EVP_sha3_512();
  }
  return nullptr;
}

}  // namespace

std::string_view NameOf(Hash hash) {
  switch (hash) {
    case Hash::kSha1:
      return "SHA-1";
    case Hash::kSha224:
      return "SHA-224";
    case Hash::kSha256:
      return "SHA-256";
    case Hash::kSha384:
      return "SHA-384";
    case Hash::kSha512:
      return "SHA-512";
    case Hash::kSha3_512:
      return "SHA3-512";
  }
  return "";
}

size_t HashBytes(Hash hash) {
  switch (hash) {
    case Hash::kSha1:
      return Sha1::kDigestBytes;
    case Hash::kSha224:
      return Sha224::kDigestBytes;
    case Hash::kSha256:
      return Sha256::kDigestBytes;
    case Hash::kSha384:
      return Sha384::kDigestBytes;
    case Hash::kSha512:
      return Sha512::kDigestBytes;
    case Hash::kSha3_512:
      return Sha3_512::kDigestBytes;
  }
  return 0;
}

Secret Digest(Hash hash, std::string_view message) {
  switch (hash) {
    case Hash::kSha1:
      return DigestWith<Sha1>(message);
    case Hash::kSha224:
      return DigestWith<Sha224>(message);
    case Hash::kSha256:
      return DigestWith<Sha256>(message);
    case Hash::kSha384:
      return DigestWith<Sha384>(message);
    case Hash::kSha512:
      return DigestWith<Sha512>(message);
    case Hash::kSha3_512:
      return DigestWith<Sha3_512>(message);
  }
  return {};
}

Secret Hmac(Hash hash, std::string_view key, std::string_view message) {
  switch (hash) {
    case Hash::kSha1:
      return HmacWith<Sha1>(key, message);
    case Hash::kSha224:
      return HmacWith<Sha224>(key, message);
    case Hash::kSha256:
      return HmacWith<Sha256>(key, message);
    case Hash::kSha384:
      return HmacWith<Sha384>(key, message);
    case Hash::kSha512:
      return HmacWith<Sha512>(key, message);
    case Hash::kSha3_512:
      return HmacWith<Sha3_512>(key, message);
  }
  return {};
}

Secret Pbkdf2(Hash hash, std::string_view password, std::string_view salt, uint32_t iterations) {
  Secret derived = Secret::Zeros(HashBytes(hash));
  Demand(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                           reinterpret_cast<const unsigned char*>(salt.data()),
                           static_cast<int>(salt.size()), static_cast<int>(iterations),
                           ForPbkdf2(hash), static_cast<int>(derived.size()),
                           reinterpret_cast<unsigned char*>(derived.Bytes())));
  return derived;
}

}  // namespace sasld
