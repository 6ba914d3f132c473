#include "server/auth/verification_cache.h"

#include <utility>

namespace sasld {

VerificationCache::VerificationCache(Limits limits, Secret key)
    : limits_(limits), mac_(std::move(key)), remembered_at_(limits.entries) {}

bool VerificationCache::Holds(const PasswordClaim& claim, std::string_view service,
                              uint64_t account_epoch, absl::Time now) const {
  if (!enabled()) return false;
  const ClaimMac::Value mac = mac_.Of(claim, service, account_epoch);
  absl::ReaderMutexLock lock(&mutex_);
  const absl::Time* remembered_at = remembered_at_.Find(mac);
  return remembered_at && now - *remembered_at < limits_.lifetime;
}

void VerificationCache::Remember(const PasswordClaim& claim, std::string_view service,
                                 uint64_t account_epoch, absl::Time now) {
  if (!enabled()) return;
  const ClaimMac::Value mac = mac_.Of(claim, service, account_epoch);
  absl::MutexLock lock(&mutex_);
  remembered_at_.Touch(mac) = now;
}

size_t VerificationCache::size() const {
  absl::ReaderMutexLock lock(&mutex_);
  return remembered_at_.size();
}

}  // namespace sasld
