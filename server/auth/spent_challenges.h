// Challenges that may be answered once only, and were (CRAM-MD5, DIGEST-MD5: what answers them is
// the same each time). A step is stateless, so this is the one place that remembers one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace sasld {

// Thread-safe. Of this process only: on another replica a challenge can be answered once more, on
// the same connection and within its lifetime.
class SpentChallenges {
 public:
  // Room for so many within one lifetime of a challenge; about 50 bytes each.
  static constexpr size_t kMost = size_t{1} << 18;

  enum class Use { kFirst, kAgain, kNoRoom };

  // Marks a challenge, by what is unique to it, as answered. `expiry`: it cannot be answered from
  // then on; until then it is remembered, whatever lifetimes others have.
  Use Mark(std::string_view unique, absl::Time expiry, absl::Time now);

 private:
  struct Generation {
    absl::flat_hash_set<std::string> spent;
    absl::Time last_expiry = absl::InfinitePast();
  };

  absl::Mutex mutex_;
  // The elder goes as a whole, once all in it have expired; then the younger is the elder.
  Generation young_ ABSL_GUARDED_BY(mutex_);
  Generation old_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sasld
