// A bar that grows, on a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace sasld::saslctl {

// On the last line of the screen; whoever else writes there calls Clear() first. Without a terminal
// nothing is shown. Not thread-safe.
class Progress {
 public:
  // `fd` stays the caller's.
  Progress(int fd, bool wanted);
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // "checking [#####     ] 48 %  482000 users", at most ten times a second.
  void Show(std::string_view what, uint64_t done, uint64_t whole, uint64_t users);
  void Clear();

 private:
  const int fd_;
  const bool shown_;
  bool on_screen_ = false;
  absl::Time next_ = absl::InfinitePast();
};

}  // namespace sasld::saslctl
