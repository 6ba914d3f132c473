// Which cost of Argon2id takes how long on this machine.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/auth/hashing_budget.h"
#include "server/auth/lane.h"
#include "server/auth/password_hash.h"

namespace sasld {

struct MeasuredCost {
  Argon2idCost cost;
  absl::Duration median;         // of one hash
  size_t threads = 1;            // that fit into the budget
  double hashes_per_second = 0;  // if all of them are as quick as one alone: at most
};

struct CalibrationResult {
  std::vector<MeasuredCost> measured;  // cheapest first; never empty
  size_t proposed = 0;                 // the index of one
};

// The costs worth measuring if a hash may take `most_memory` bytes, cheapest first: more memory
// while there is some, and only then more passes, as RFC 9106 s.4 and OWASP's Password Storage
// Cheat Sheet advise. None is weaker than OWASP's least (19 MiB in two passes, or 46 MiB in one).
// One lane each: a server has other hashes for its other cores.
std::vector<Argon2idCost> CostsToMeasure(size_t most_memory);

// Thread-safe. What it is given must outlive it.
class Calibration {
 public:
  // `clock` must not jump.
  Calibration(const PasswordHasher& hasher, Lane& lane, HashingBudget budget,
              std::function<absl::Time()> clock)
      : hasher_(hasher), lane_(lane), budget_(budget), clock_(std::move(clock)) {}
  Calibration(const Calibration&) = delete;
  Calibration& operator=(const Calibration&) = delete;

  struct Question {
    absl::Duration target;
    // Bytes that one hash may take; 0: so much that all threads fit into the budget.
    size_t most_memory = 0;
  };

  // Measures one cost after the other until one takes longer than the target, and proposes the
  // dearest that does not. Blocks for some seconds; each hash waits for its turn in the lane, as
  // one source among those of logins, so a login waits for one of them at most.
  //
  // InvalidArgument: the text names "target" or "memory". ResourceExhausted: another calibration is
  // under way, or the lane is full. Cancelled: `gone` said so between two hashes. Unavailable: the
  // lane is closing.
  absl::StatusOr<CalibrationResult> Run(const Question& question, absl::FunctionRef<bool()> gone);

 private:
  absl::StatusOr<size_t> MostMemory(const Question& question) const;
  absl::StatusOr<absl::Duration> HashOnLane(const Argon2idCost& cost);
  absl::StatusOr<MeasuredCost> Measure(const Argon2idCost& cost, absl::Duration target,
                                       absl::Time end, absl::FunctionRef<bool()> gone);

  const PasswordHasher& hasher_;
  Lane& lane_;
  const HashingBudget budget_;
  const std::function<absl::Time()> clock_;
  std::atomic<bool> under_way_ = false;
};

}  // namespace sasld
