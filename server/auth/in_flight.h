// The password checks that wait for the lane or are being hashed. The same password for the same
// account is hashed once for all who ask for it meanwhile: phones log in on several connections at
// a time, and try a wrong password on all of them.
//
// Each check waits in the lane on its own, with its own source, deadline and turn. The first whose
// turn comes hashes for all others and takes them out of the lane. So nobody waits longer than
// without the others, whoever they are, and nothing of one hangs on another that goes away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "proto/common/tally.h"
#include "server/auth/claim_mac.h"
#include "server/auth/lane.h"
#include "server/auth/password_answer.h"

namespace sasld {

// Thread-safe. The lane must outlive it, and be closed before it goes.
class InFlight {
 public:
  using Hashing = absl::AnyInvocable<absl::StatusOr<PasswordAnswer>() &&>;

  // `key`: 32 random bytes, never used elsewhere.
  InFlight(Lane& lane, Secret key) : lane_(lane), mac_(std::move(key)) {}
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  // Passwords are the same for one service only, as it may have its own. No password is kept to
  // know it again.
  ClaimMac::Value KeyOf(const PasswordClaim& claim, std::string_view service,
                        uint64_t account_epoch) const {
    return mac_.Of(claim, service, account_epoch);
  }

  // Calls `done` exactly once: with what `hashing` yields on the lane, or what that of another
  // check with the same `key` does which was not over when this one came; or with DeadlineExceeded,
  // on the lane: it waited too long, or the caller has gone; or with ResourceExhausted, in place:
  // the lane is full.
  //
  // `key` has the account's epoch, read after the claim came in. `hashing` must read the account
  // anew when it begins, and again before it tells of a match: then an answer that is shared is
  // right for all who share it. Who asks after a change has another key; who asked before it has a
  // hash that begins later, or one that finds the change at its end.
  void Check(const ClaimMac::Value& key, const Caller& caller, Hashing hashing, OnVerdict done);

  // Keys with a check that waits or is hashed.
  size_t size() const;
  // Checks that waited for the hash of another.
  const Tally& joined() const { return joined_; }

 private:
  struct Waiter;
  using Waiters = std::list<std::shared_ptr<Waiter>>;
  // All checks of one key.
  struct Flight {
    Waiters in_lane;  // wait for their turn
    Waiters joined;   // out of the lane: get the answer of the hash that runs
    bool hashing = false;
  };

  void TakeTurn(const std::shared_ptr<Waiter>& waiter, Lane::Turn turn);
  // Whether the waiter now waits for the hash that runs. There is room for so many as one source
  // may have in the lane; one more hashes for itself.
  bool Join(Flight& flight, std::shared_ptr<Waiter> waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void JoinAllInLane(Flight& flight) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Waiters Land(const ClaimMac::Value& key);
  void RemoveIfOver(const ClaimMac::Value& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Lane& lane_;
  const ClaimMac mac_;
  Tally joined_;
  mutable absl::Mutex mutex_;  // taken before the lane's
  absl::flat_hash_map<ClaimMac::Value, std::unique_ptr<Flight>> flights_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sasld
