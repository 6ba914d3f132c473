// Random bytes from the kernel, drawn in blocks: a getrandom(2) for each nonce costs more than the
// nonce.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/sasl/secret.h"

namespace sasld {

// Thread-safe. A byte is handed out once and wiped here.
class Entropy {
 public:
  Entropy() = default;
  ~Entropy() { WipeMemory(block_.data(), block_.size()); }
  Entropy(const Entropy&) = delete;
  Entropy& operator=(const Entropy&) = delete;

  std::string Bytes(size_t count);
  Secret SecretBytes(size_t count);
  // A nonce for SCRAM: 18 random bytes as 24 printable characters without comma.
  std::string Nonce();

 private:
  void Fill(char* out, size_t count);

  absl::Mutex mutex_;
  std::array<char, 4096> block_ ABSL_GUARDED_BY(mutex_){};
  size_t left_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sasld
