// Answers the questions that mechanisms ask: from the store, or with decoys that cannot be told
// apart.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/common/tally.h"
#include "server/auth/derivation.h"
#include "server/auth/directory.h"
#include "server/auth/in_flight.h"
#include "server/auth/password_answer.h"
#include "server/auth/verification_cache.h"
#include "server/sasl/outcome.h"
#include "storage/store.h"

namespace sasld {

struct ScramAnswer {
  ScramKeys keys;  // the candidates' names are ids of app passwords, or "" for its own password
  std::optional<Account> account;  // as of the same read, less those keys; nothing: there is none
  Basis basis = Basis::kNoAccount;
};
struct EquivalentAnswer {
  Secret equivalent;
  Basis basis;
};

// Thread-safe. The store, the directory, the deriver, the checks in flight and the cache must
// outlive it; the lane must be closed before it goes.
class Answers {
 public:
  // The store is the one that the directory looks into.
  Answers(Store& store, const Directory& directory, const Deriver& deriver, InFlight& in_flight,
          VerificationCache& cache, const Secret& decoy_key, uint32_t decoy_iterations);

  // Keys to challenge this user with. Never NotFound: unknown users, and users without SCRAM keys,
  // get decoys: always the same for one name under one key file, fitting no proof. Who lacks the
  // keys of one hash is challenged with the salt and count of the others. Unavailable, DataLoss:
  // the store cannot tell.
  absl::StatusOr<ScramAnswer> KeysFor(const ScramUser& user) const;

  // `done` is called exactly once: in place with an app password, with a password that matched a
  // short while ago, or with an error (ResourceExhausted: the lane is full; Unavailable, DataLoss:
  // the store cannot tell), else on the lane. DeadlineExceeded: it waited too long, or the caller
  // has gone. Takes as long for an unknown user as for a wrong password. Who asks the same while it
  // waits or is hashed gets the answer of one hash.
  void Check(PasswordClaim claim, Caller caller, OnVerdict done) const;

  // The password-equivalent to check this user with. Never NotFound, as KeysFor.
  absl::StatusOr<EquivalentAnswer> EquivalentFor(const EquivalentOf& question) const;

  // How Check() came to what it answered. Those that joined a hash are InFlight's to tell.
  struct Checks {
    Tally hashed;        // password hashes; decoys too
    Tally remembered;    // passwords that had matched a short while ago
    Tally app_password;  // app passwords
  };
  const Checks& checks() const { return checks_; }

 private:
  // Always the same for one name under one key file.
  Secret Decoy(std::string_view use, const Username& user, Hash hash) const;
  void FillDecoyPair(const ScramUser& user, ScramKeys& keys) const;
  // Null: it is none of the account's. Else it lies in `account`.
  const AppPassword* MatchAppPassword(const PasswordClaim& claim,
                                      const absl::StatusOr<Account>& account) const;
  void CompleteOnLane(PasswordClaim claim, Epoch epoch, const Caller& caller) const;
  absl::StatusOr<PasswordAnswer> CompleteAppPassword(const PasswordClaim& claim) const;
  absl::StatusOr<PasswordAnswer> Verify(const PasswordClaim& claim, std::string_view service,
                                        absl::Time now) const;
  absl::StatusOr<PasswordAnswer> VerifyOnce(const PasswordClaim& claim,
                                            const absl::StatusOr<Account>& account) const;
  void Complete(Account& account, const PasswordClaim& claim) const;

  Store& store_;
  const Directory& directory_;
  const Deriver& deriver_;
  InFlight& in_flight_;
  VerificationCache& cache_;
  const Secret decoy_key_;
  const uint32_t decoy_iterations_;
  mutable Checks checks_;
};

}  // namespace sasld
