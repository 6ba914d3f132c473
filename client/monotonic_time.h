// The time for budgets and time-outs: it grows evenly whatever happens to the wall clock.
#pragma once

#include <chrono>

#include "absl/time/time.h"

namespace sasld {

// Comparable with other values of this function only; it is no date.
inline absl::Time MonotonicNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace sasld
