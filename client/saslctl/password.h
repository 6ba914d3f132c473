// A password in this process: move-only and wiped, with no way into a stream or a comparison.
//
// saslctl includes nothing of server/, so this is its own small cousin of server/sasl/secret.h.
// What gRPC copies on the way to the server cannot be wiped from here; the process ends right
// after.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sasld::saslctl {

class Password {
 public:
  Password() = default;
  // Copies `text`; the caller's copy is the caller's to wipe.
  explicit Password(std::string_view text);
  Password(Password&& other) noexcept;
  Password& operator=(Password&& other) noexcept;
  Password(const Password&) = delete;
  Password& operator=(const Password&) = delete;
  ~Password();

  std::string_view Reveal() const { return {bytes_.get(), size_}; }
  bool empty() const { return size_ == 0; }

 private:
  void Wipe();
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

// Overwrites the bytes of `text` and empties it.
void Wipe(std::string& text);

// Whether two entries of a password agree.
bool SamePassword(const Password& a, const Password& b);

// 125 random bits in five groups of five letters and digits, none of which look alike:
// "h7kfm-2wqxe-…". Internal: the kernel gives no random bytes.
absl::StatusOr<Password> GeneratePassword();

// `size` random bytes from the kernel. Internal as above.
absl::StatusOr<std::string> RandomBytes(size_t size);

}  // namespace sasld::saslctl
