// Answers the questions that mechanisms ask: from the store, or with decoys that cannot be told
// apart.
#pragma once

#include <atomic>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/auth/lane.h"
#include "server/auth/password_hash.h"
#include "server/sasl/outcome.h"
#include "storage/store.h"

namespace sasld {

// For whom a question is answered.
struct Caller {
  std::string source;   // the client's address; what shares one, shares a part of the lane
  absl::Time deadline;  // nobody waits for the answer after this
  // Set once the caller has gone. May be null.
  std::shared_ptr<const std::atomic<bool>> gone;
};

// Thread-safe. The store, the hasher and the lane must outlive it; the lane must be closed before
// it goes.
class Answers {
 public:
  Answers(const Store& store, const PasswordHasher& hasher, Lane& lane, const Secret& decoy_key,
          uint32_t decoy_iterations);

  // Keys to challenge this user with. Never NotFound: unknown users, and users without SCRAM keys,
  // get decoys: always the same for one name under one key file, fitting no proof. Unavailable,
  // DataLoss: the store cannot tell.
  absl::StatusOr<ScramKeys> KeysFor(const ScramUser& user) const;

  // `done` is called exactly once: in place with an error (ResourceExhausted: the lane is full;
  // Unavailable, DataLoss: the store cannot tell), else on the lane. DeadlineExceeded: it waited
  // too long, or the caller has gone. Takes as long for an unknown user as for a wrong password.
  using OnVerdict = absl::AnyInvocable<void(absl::StatusOr<PasswordVerdict>) &&>;
  void Check(PasswordClaim claim, Caller caller, OnVerdict done) const;

 private:
  ScramKeys DecoyKeys(const ScramUser& user) const;
  absl::StatusOr<PasswordVerdict> Verify(const PasswordClaim& claim) const;

  const Store& store_;
  const PasswordHasher& hasher_;
  Lane& lane_;
  const Secret decoy_key_;
  const uint32_t decoy_iterations_;
};

}  // namespace sasld
