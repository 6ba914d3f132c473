// A number that threads count up and down, for metrics. Costs an atomic addition; orders nothing.
#pragma once

#include <atomic>
#include <cstdint>

namespace sasld {

// Thread-safe.
class Tally {
 public:
  void Add(uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  // Of what was added before.
  void Subtract(uint64_t count = 1) { value_.fetch_sub(count, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

}  // namespace sasld
