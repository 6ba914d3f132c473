// Passwords that matched a short while ago, so that mail clients, who log in all day, are not
// hashed for each time.
//
// No password is kept: an entry is a MAC over account, epoch, service and password, under a key
// that is drawn at start and never leaves the process. Each change of an account draws a new epoch,
// so what was remembered of it before can not be found any more, from that moment on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/auth/claim_mac.h"
#include "server/auth/recent_table.h"
#include "server/sasl/outcome.h"
#include "server/sasl/secret.h"

namespace sasld {

// Thread-safe. In memory only.
class VerificationCache {
 public:
  struct Limits {
    size_t entries = 10'000;                      // the ones of longest ago make room; 0: off
    absl::Duration lifetime = absl::Minutes(10);  // from when it was hashed; zero: off
    friend bool operator==(const Limits&, const Limits&) = default;
  };

  // `key`: 32 random bytes, never used elsewhere.
  VerificationCache(Limits limits, Secret key);
  VerificationCache(const VerificationCache&) = delete;
  VerificationCache& operator=(const VerificationCache&) = delete;

  // Whether it remembers anything at all.
  bool enabled() const { return limits_.entries > 0 && limits_.lifetime > absl::ZeroDuration(); }
  // Whether this password was remembered for this service and this state of the account.
  // `account_epoch` must have been read after the claim came in.
  bool Holds(const PasswordClaim& claim, std::string_view service, uint64_t account_epoch,
             absl::Time now) const;
  // It matched, and the account had this epoch before and after.
  void Remember(const PasswordClaim& claim, std::string_view service, uint64_t account_epoch,
                absl::Time now);

  size_t size() const;

 private:
  const Limits limits_;
  const ClaimMac mac_;
  mutable absl::Mutex mutex_;
  RecentTable<ClaimMac::Value, absl::Time> remembered_at_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sasld
