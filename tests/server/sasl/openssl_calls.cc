#include "tests/server/sasl/openssl_calls.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>

namespace sasld::openssl {
namespace {

const unsigned char* In(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Out(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void Demand(bool done) {
  if (!done) std::abort();
}

}  // namespace

std::string Digest(const char* algorithm, std::string_view message) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  size_t size = 0;
  Demand(EVP_Q_digest(nullptr, algorithm, nullptr, message.data(), message.size(), Out(digest),
                      &size) == 1);
  digest.resize(size);
  return digest;
}

std::string Hmac(const char* algorithm, std::string_view key, std::string_view message) {
  std::string code(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  Demand(HMAC(EVP_get_digestbyname(algorithm), key.data(), static_cast<int>(key.size()),
              In(message), message.size(), Out(code), &size) != nullptr);
  code.resize(size);
  return code;
}

std::string Pbkdf2(const char* algorithm, std::string_view password, std::string_view salt,
                   int iterations, size_t bytes) {
  std::string derived(bytes, '\0');
  Demand(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), In(salt),
                           static_cast<int>(salt.size()), iterations,
                           EVP_get_digestbyname(algorithm), static_cast<int>(bytes),
                           Out(derived)) == 1);
  return derived;
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    hex += "0123456789abcdef"[c & 15];
  }
  return hex;
}

std::string Unhex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string Base64(std::string_view bytes) {
  std::string text(4 * (bytes.size() / 3 + 1) + 1, '\0');
  text.resize(
      static_cast<size_t>(EVP_EncodeBlock(Out(text), In(bytes), static_cast<int>(bytes.size()))));
  return text;
}

std::string Unbase64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  const int size = EVP_DecodeBlock(Out(bytes), In(text), static_cast<int>(text.size()));
  if (size < 0) return "";
  bytes.resize(static_cast<size_t>(size));
  for (size_t i = text.size(); i > 0 && text[i - 1] == '=' && !bytes.empty(); --i) bytes.pop_back();
  return bytes;
}

}  // namespace sasld::openssl
