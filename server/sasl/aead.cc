#include "server/sasl/aead.h"

#include <openssl/evp.h>

#include <memory>

namespace sasld {
namespace {

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Fetched once: OpenSSL 3 looks an algorithm up by name at each use otherwise.
const EVP_CIPHER* Aes256Gcm() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return cipher;
}

}  // namespace

bool AeadSeal(std::string_view key, std::string_view nonce, std::string_view associated,
              std::string_view plaintext, std::string& out) {
  if (key.size() != kAeadKeyBytes || nonce.size() != kAeadNonceBytes) return false;
  const size_t before = out.size();
  out.resize(before + plaintext.size() + kAeadTagBytes);
  auto* ciphertext = reinterpret_cast<unsigned char*>(out.data()) + before;
  unsigned char* tag = ciphertext + plaintext.size();
  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int written = 0;
  const bool sealed =
      EVP_EncryptInit_ex2(context.get(), Aes256Gcm(), Bytes(key), Bytes(nonce), nullptr) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &written, Bytes(associated),
                        static_cast<int>(associated.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), ciphertext, &written, Bytes(plaintext),
                        static_cast<int>(plaintext.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), tag, &written) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, tag) == 1;
  if (!sealed) out.resize(before);
  return sealed;
}

bool AeadOpen(std::string_view key, std::string_view nonce, std::string_view associated,
              std::string_view sealed, char* out) {
  if (key.size() != kAeadKeyBytes || nonce.size() != kAeadNonceBytes ||
      sealed.size() < kAeadTagBytes) {
    return false;
  }
  const std::string_view ciphertext = sealed.substr(0, sealed.size() - kAeadTagBytes);
  std::string tag(sealed.substr(ciphertext.size()));
  auto* plaintext = reinterpret_cast<unsigned char*>(out);
  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int written = 0;
  return EVP_DecryptInit_ex2(context.get(), Aes256Gcm(), Bytes(key), Bytes(nonce), nullptr) == 1 &&
         EVP_DecryptUpdate(context.get(), nullptr, &written, Bytes(associated),
                           static_cast<int>(associated.size())) == 1 &&
         EVP_DecryptUpdate(context.get(), plaintext, &written, Bytes(ciphertext),
                           static_cast<int>(ciphertext.size())) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data()) ==
             1 &&
         EVP_DecryptFinal_ex(context.get(), plaintext + ciphertext.size(), &written) == 1;
}

}  // namespace sasld
