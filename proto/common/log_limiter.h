// Keeps what clients can cause from filling the log.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/time/time.h"

namespace sasld {

// Lets one message through in each period. Not thread-safe.
class LogLimiter {
 public:
  explicit LogLimiter(absl::Duration period) : period_(period) {}

  // Whether to log now: if so, how many were held back since the last one.
  std::optional<uint64_t> Admit(absl::Time now) {
    if (now < next_) {
      ++held_back_;
      return std::nullopt;
    }
    next_ = now + period_;
    return std::exchange(held_back_, 0);
  }

 private:
  const absl::Duration period_;
  absl::Time next_ = absl::InfinitePast();
  uint64_t held_back_ = 0;
};

}  // namespace sasld
