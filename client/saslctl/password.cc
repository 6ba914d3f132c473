#include "client/saslctl/password.h"

#include <openssl/crypto.h>
#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "proto/common/readable_signs.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
Password::Password(std::string_view text)
    : bytes_(std::make_unique<char[]>(text.size())), size_(text.size()) {
  text.copy(bytes_.get(), text.size());
}

Password::Password(Password&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Password& Password::operator=(Password&& other) noexcept {
  if (this != &other) {
    Wipe();
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Password::~Password() { Wipe(); }

void Password::Wipe() {
  if (bytes_ != nullptr) OPENSSL_cleanse(bytes_.get(), size_);
}

void Wipe(std::string& text) {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

bool SamePassword(const Password& a, const Password& b) {
  return a.Reveal().size() == b.Reveal().size() &&
         CRYPTO_memcmp(a.Reveal().data(), b.Reveal().data(), a.Reveal().size()) == 0;
}

absl::StatusOr<std::string> RandomBytes(size_t size) {
  std::string bytes(size, '\0');
  size_t filled = 0;
  while (filled < size) {
    const ssize_t got = getrandom(bytes.data() + filled, size - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return absl::InternalError("the kernel gives no random bytes");
    filled += static_cast<size_t>(got);
  }
  return bytes;
}

absl::StatusOr<Password> GeneratePassword() {
  ASSIGN_OR_RETURN(std::string random, RandomBytes(kReadableGroups * kReadableGroupLength));
  std::string text;
  text.reserve(kReadableGroups * (kReadableGroupLength + 1));
  for (size_t i = 0; i < random.size(); ++i) {
    if (i > 0 && i % kReadableGroupLength == 0) text += '-';
    text += ReadableSign(random[i]);
  }
  Password password(text);
  Wipe(random);
  Wipe(text);
  return password;
}

}  // namespace sasld::saslctl
