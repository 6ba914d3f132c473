// Bytes that must not outlive their use: passwords, keys, derived keys.
//
// Move-only; wiped on destruction, assignment and move. It has no operator<< and no operator==, so
// that it cannot reach a log or a comparison that tells how far it matched. Wiping is best effort:
// gRPC and the kernel keep copies of their own that we cannot reach.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace sasld {

class Secret {
 public:
  Secret() = default;
  // Copies `bytes`; the caller's copy is the caller's to wipe.
  explicit Secret(std::string_view bytes);
  // `size` zero bytes, to be filled through Bytes().
  static Secret Zeros(size_t size);
  // `first` and then `second`.
  static Secret Joined(const Secret& first, const Secret& second);

  Secret(Secret&& other) noexcept
      : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { Wipe(); }

  // The one way to read it. Use in the narrowest scope; never copy into a std::string.
  std::string_view Reveal() const { return {bytes_.get(), size_}; }
  // The one way to write it in place.
  char* Bytes() { return bytes_.get(); }
  Secret Clone() const { return Secret(Reveal()); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  void Wipe();
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

// Compares in time that depends on the lengths only.
bool EqualsConstantTime(std::string_view a, std::string_view b);

// Overwrites memory in a way that the compiler does not remove.
void WipeMemory(void* memory, size_t bytes);

}  // namespace sasld
