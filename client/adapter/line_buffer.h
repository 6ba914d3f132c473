// Lines out of bytes that come in pieces of any size.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace sasld {

// Keeps at most one unfinished line; between lines it holds no memory. Not thread-safe.
class LineBuffer {
 public:
  // Calls `take(line)` for each line that is whole now, without its LF or CR LF, for as long as it
  // yields true. The line is borrowed for the call. False: a line has more than `max` bytes, LF
  // included; lines before it were taken.
  template <class Take>
  bool Feed(std::string_view bytes, size_t max, Take take) {
    while (!bytes.empty()) {
      size_t end = std::min(bytes.find('\n'), bytes.size());
      if (unfinished_.size() + end >= max) return false;
      if (end == bytes.size()) {
        unfinished_ += bytes;
        return true;
      }
      bool more;
      if (unfinished_.empty()) {
        more = take(WithoutCr(bytes.substr(0, end)));
      } else {
        // Taken out first, so that an idle connection keeps no memory for it.
        std::string line = std::exchange(unfinished_, std::string());
        more = take(WithoutCr(line += bytes.substr(0, end)));
      }
      if (!more) return true;
      bytes.remove_prefix(end + 1);
    }
    return true;
  }

  void Clear() { unfinished_ = {}; }
  bool empty() const { return unfinished_.empty(); }

 private:
  static std::string_view WithoutCr(std::string_view line) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
  }

  std::string unfinished_;
};

}  // namespace sasld
