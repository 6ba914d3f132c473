// What has come of a request that holds a password: grows at its end, and leaves nothing of it
// behind in memory, neither where it grew out of nor in the end.
#pragma once

#include <string.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace sasld {

class WipedBuffer {
 public:
  WipedBuffer() = default;
  ~WipedBuffer() { Wipe(); }
  WipedBuffer(const WipedBuffer&) = delete;
  WipedBuffer& operator=(const WipedBuffer&) = delete;

  // Invalidates views of what was there before.
  void Append(std::string_view bytes) {
    const size_t size = bytes_.size() + bytes.size();
    if (size > bytes_.capacity()) {
      std::string larger;
      larger.reserve(std::max(size, 2 * bytes_.capacity()));
      larger += bytes_;
      Wipe();
      bytes_ = std::move(larger);
    }
    bytes_ += bytes;
  }
  std::string_view view() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  // Empties it, and gives the memory back.
  void Wipe() {
    explicit_bzero(bytes_.data(), bytes_.size());
    bytes_ = std::string();
  }

 private:
  std::string bytes_;
};

}  // namespace sasld
