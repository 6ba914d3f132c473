#include "server/sasl/sealed_state.h"

#include <openssl/evp.h>

#include <array>
#include <cstring>

#include "server/sasl/fields.h"
#include "server/sasl/scram_keys.h"

namespace sasld {
namespace {

constexpr char kVersion = 1;
constexpr size_t kCounterBytes = 8;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kHeaderBytes = 1 + kStateSaltBytes + kCounterBytes;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// The nonce of AES-GCM: four zero bytes and the counter.
std::array<unsigned char, kNonceBytes> Nonce(std::string_view counter) {
  std::array<unsigned char, kNonceBytes> nonce{};
  std::memcpy(nonce.data() + kNonceBytes - kCounterBytes, counter.data(), kCounterBytes);
  return nonce;
}

}  // namespace

// Fetched once: OpenSSL 3 looks an algorithm up by name at each use otherwise.
struct StateSealer::Cipher {
  std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> aes_256_gcm{
      EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr), &EVP_CIPHER_free};
};

StateSealer::StateSealer(const Secret& cluster_key, std::string_view process_salt)
    : cluster_key_(cluster_key.Clone()),
      process_salt_(process_salt),
      process_key_(DeriveKey(process_salt)),
      cipher_(std::make_unique<const Cipher>()) {}

StateSealer::~StateSealer() = default;

// HKDF-Extract, then one block of HKDF-Expand, which is all that 32 bytes take.
Secret StateSealer::DeriveKey(std::string_view salt) const {
  const Secret extracted = ScramHmac(ScramHash::kSha256, salt, cluster_key_.Reveal());
  return ScramHmac(ScramHash::kSha256, extracted.Reveal(), std::string_view("sasld state\x01", 12));
}

std::string StateSealer::Seal(uint64_t counter, std::string_view binding,
                              std::string_view state) const {
  std::string sealed(1, kVersion);
  sealed.reserve(kHeaderBytes + state.size() + kTagBytes);
  sealed.append(process_salt_);
  AppendNumber(sealed, counter);
  const auto nonce = Nonce(std::string_view(sealed).substr(1 + kStateSaltBytes));
  sealed.resize(kHeaderBytes + state.size() + kTagBytes);

  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int written = 0;
  unsigned char* out = Bytes(sealed) + kHeaderBytes;
  const bool ok =
      EVP_EncryptInit_ex2(context.get(), cipher_->aes_256_gcm.get(), Bytes(process_key_.Reveal()),
                          nonce.data(), nullptr) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &written, Bytes(binding),
                        static_cast<int>(binding.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), out, &written, Bytes(state),
                        static_cast<int>(state.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), out + state.size(), &written) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, out + state.size()) == 1;
  // An unsealed state opens nowhere, so that the exchange fails closed.
  return ok ? sealed : std::string();
}

std::optional<std::string> StateSealer::Open(std::string_view binding,
                                             std::string_view sealed) const {
  if (sealed.size() < kHeaderBytes + kTagBytes || sealed.front() != kVersion) return std::nullopt;
  const std::string_view salt = sealed.substr(1, kStateSaltBytes);
  const auto nonce = Nonce(sealed.substr(1 + kStateSaltBytes, kCounterBytes));
  const std::string_view ciphertext =
      sealed.substr(kHeaderBytes, sealed.size() - kHeaderBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  const Secret key = salt == process_salt_ ? process_key_.Clone() : DeriveKey(salt);

  std::string state(ciphertext.size(), '\0');
  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int written = 0;
  const bool ok =
      EVP_DecryptInit_ex2(context.get(), cipher_->aes_256_gcm.get(), Bytes(key.Reveal()),
                          nonce.data(), nullptr) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &written, Bytes(binding),
                        static_cast<int>(binding.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), Bytes(state), &written, Bytes(ciphertext),
                        static_cast<int>(ciphertext.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), Bytes(state) + state.size(), &written) == 1;
  if (!ok) return std::nullopt;
  return state;
}

}  // namespace sasld
