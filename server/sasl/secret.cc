#include "server/sasl/secret.h"

#include <openssl/crypto.h>

#include <cstring>

namespace sasld {

Secret::Secret(std::string_view bytes) : Secret(Zeros(bytes.size())) {
  if (!bytes.empty()) std::memcpy(bytes_.get(), bytes.data(), bytes.size());
}

Secret Secret::Zeros(size_t size) {
  Secret secret;
  secret.bytes_ = std::make_unique<char[]>(size);
  secret.size_ = size;
  return secret;
}

Secret Secret::Joined(const Secret& first, const Secret& second) {
  Secret joined = Zeros(first.size() + second.size());
  if (!first.empty()) std::memcpy(joined.Bytes(), first.bytes_.get(), first.size());
  if (!second.empty()) {
    std::memcpy(joined.Bytes() + first.size(), second.bytes_.get(), second.size());
  }
  return joined;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void Secret::Wipe() {
  if (bytes_) WipeMemory(bytes_.get(), size_);
}

bool EqualsConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

void WipeMemory(void* memory, size_t bytes) { OPENSSL_cleanse(memory, bytes); }

}  // namespace sasld
