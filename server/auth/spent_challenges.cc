#include "server/auth/spent_challenges.h"

#include <algorithm>
#include <utility>

namespace sasld {

SpentChallenges::Use SpentChallenges::Mark(std::string_view unique, absl::Time expiry,
                                           absl::Time now) {
  absl::MutexLock lock(&mutex_);
  if (now >= old_.last_expiry) old_ = std::exchange(young_, {});
  // Nobody came for long: these have expired as well.
  if (now >= old_.last_expiry) old_ = {};
  std::string key(unique);
  if (young_.spent.contains(key) || old_.spent.contains(key)) return Use::kAgain;
  if (young_.spent.size() >= kMost) return Use::kNoRoom;
  young_.spent.insert(std::move(key));
  young_.last_expiry = std::max(young_.last_expiry, expiry);
  return Use::kFirst;
}

}  // namespace sasld
