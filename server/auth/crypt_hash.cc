#include "server/auth/crypt_hash.h"

#include <crypt.h>

#include <cerrno>
#include <memory>
#include <string>

#include "server/auth/apr1_hash.h"
#include "server/auth/crypt_notation.h"

namespace sasld {
namespace {

// libcrypt's work space, 32 KiB: holds the password, and what is made of it.
class CryptSpace {
 public:
  CryptSpace() : data_(std::make_unique<crypt_data>()) {}
  ~CryptSpace() { WipeMemory(data_.get(), sizeof *data_); }
  CryptSpace(const CryptSpace&) = delete;
  CryptSpace& operator=(const CryptSpace&) = delete;

  // Null, with errno, if it cannot be computed.
  const char* Compute(const char* phrase, const char* setting) {
    return crypt_rn(phrase, setting, data_.get(), sizeof *data_);
  }

 private:
  std::unique_ptr<crypt_data> data_;
};

}  // namespace

absl::StatusOr<bool> VerifyCryptHash(std::string_view text, const Secret& password) {
  if (password.Reveal().find('\0') != std::string_view::npos) return false;
  // libcrypt takes no more, so that no hash of a longer one was ever made.
  if (password.size() >= CRYPT_MAX_PASSPHRASE_SIZE) return false;
  if (text.starts_with(kApr1Prefix)) return VerifyApr1Hash(text, password);
  const Secret phrase = Secret::Joined(password, Secret::Zeros(1));
  const std::string setting(text);
  CryptSpace space;
  errno = 0;
  const char* hash = space.Compute(phrase.Reveal().data(), setting.c_str());
  if (hash != nullptr) return EqualsConstantTime(hash, text);
  if (errno == ENOMEM) return absl::ResourceExhaustedError("not enough memory for crypt(3)");
  return absl::DataLossError("libcrypt cannot read the imported hash, or lacks its method");
}

}  // namespace sasld
