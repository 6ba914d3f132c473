// What hashing may take of the machine: [hashing] memory_mib and threads.
#pragma once

#include <algorithm>
#include <cstddef>

#include "server/auth/password_hash.h"

namespace sasld {

struct HashingBudget {
  size_t memory = size_t{512} << 20;  // bytes, for all threads together
  size_t threads = 1;                 // at most

  // How many threads of this cost fit into the memory; at least one.
  size_t ThreadsFor(const Argon2idCost& cost) const {
    return std::clamp<size_t>(memory / (size_t{cost.memory_kib} * 1024), 1, threads);
  }
  friend bool operator==(const HashingBudget&, const HashingBudget&) = default;
};

}  // namespace sasld
