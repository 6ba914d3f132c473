#include "server/auth/entropy.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "server/sasl/base64.h"

namespace sasld {
namespace {

// Fills all of it or ends the process: without randomness nothing here is safe. After boot the
// kernel always answers.
void FromKernel(char* out, size_t count) {
  while (count > 0) {
    const ssize_t got = getrandom(out, count, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) std::abort();
    out += got;
    count -= static_cast<size_t>(got);
  }
}

}  // namespace

void Entropy::Fill(char* out, size_t count) {
  absl::MutexLock lock(&mutex_);
  if (count > block_.size()) return FromKernel(out, count);
  if (count > left_) {
    FromKernel(block_.data(), block_.size());
    left_ = block_.size();
  }
  char* source = block_.data() + block_.size() - left_;
  std::memcpy(out, source, count);
  WipeMemory(source, count);
  left_ -= count;
}

std::string Entropy::Bytes(size_t count) {
  std::string bytes(count, '\0');
  Fill(bytes.data(), count);
  return bytes;
}

Secret Entropy::SecretBytes(size_t count) {
  Secret bytes = Secret::Zeros(count);
  Fill(bytes.Bytes(), count);
  return bytes;
}

std::string Entropy::Nonce() { return EncodeBase64(Bytes(18)); }

}  // namespace sasld
