// Argon2id (RFC 9106) with the key file's pepper as its secret input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/auth/argon2_arena.h"
#include "server/sasl/secret.h"
#include "storage/store.h"

namespace sasld {

struct Argon2idCost {
  uint32_t memory_kib = 19456;  // OWASP's first choice
  uint32_t iterations = 2;
  uint32_t parallelism = 1;
  friend bool operator==(const Argon2idCost&, const Argon2idCost&) = default;
};

// What is kept of a password: see Credential.
struct Argon2idVerifier {
  std::string phc;
  uint32_t pepper_id = 0;
};

// Thread-safe. Each call that hashes takes the cost's memory and milliseconds of CPU: call it on
// the hashing lane.
class PasswordHasher {
 public:
  // With a pepper of id 1. `memory`: bytes for all hashes that run at a time. A hash for which
  // there is no room beside the others waits for them; one that is larger is refused
  // (ResourceExhausted).
  PasswordHasher(Argon2idCost cost, const Secret& pepper,
                 size_t memory = std::numeric_limits<size_t>::max());
  // With the pepper of each key; the one of the highest id is hashed with.
  PasswordHasher(Argon2idCost cost, std::map<uint32_t, Secret> peppers,
                 size_t memory = std::numeric_limits<size_t>::max());

  // From now on these are known, and no others.
  void Adopt(std::map<uint32_t, Secret> peppers);

  // `salt`: 16 random bytes. ResourceExhausted: no memory.
  absl::StatusOr<Argon2idVerifier> Hash(const Secret& prepared_password,
                                        std::string_view salt) const;

  // Whether credential.argon2id, which must not be empty, is a hash of this password. DataLoss: it
  // is not one of ours, costs more than this process is meant to spend, or its pepper is not known
  // any more. ResourceExhausted: no memory.
  absl::StatusOr<bool> Verify(const Credential& credential, const Secret& prepared_password) const;

  // The work of Verify for nobody: so that an unknown user takes as long as a known one.
  absl::Status VerifyDecoy(const Secret& prepared_password) const;

  // Whether `phc` is of the shape and within the costs that Verify takes.
  static bool IsHash(std::string_view phc);

  // The secret input that the hash was made with; nothing: not known any more.
  std::optional<Secret> PepperOf(const Credential& credential) const;

  // Whether a hash is as one made now would be, in pepper and cost.
  bool IsUpToDate(const Credential& credential) const;
  // Takes along the pepper that the hash was made with, if it is not the current one, so that its
  // key can go. Whether there was anything to do.
  bool CarryPepper(Credential& credential) const;
  // The way back: a pepper that is carried and is the current one is known by its id again.
  void RecognizePepper(Credential& credential) const;

  // How long a hash of another cost takes by `clock`, in memory that is there already, as it is for
  // all hashes of our own cost but a thread's first.
  absl::StatusOr<absl::Duration> Measure(const Argon2idCost& cost,
                                         absl::FunctionRef<absl::Time()> clock) const;

  // Gives memory back that no hash has used since the call before.
  void GiveBackMemory() const { arenas_.Trim(); }

  const Argon2idCost& cost() const { return cost_; }

 private:
  absl::StatusOr<Secret> Compute(const Argon2idCost& cost, const Secret& pepper,
                                 const Secret& prepared_password, std::string_view salt,
                                 size_t hash_bytes) const;
  absl::StatusOr<Secret> Compute(const Argon2idCost& cost, const Secret& pepper,
                                 const Secret& prepared_password, std::string_view salt,
                                 size_t hash_bytes, Argon2Arenas::Lease& arena) const;
  std::pair<uint32_t, Secret> CurrentPepper() const;

  const Argon2idCost cost_;
  mutable Argon2Arenas arenas_;
  mutable absl::Mutex mutex_;
  std::map<uint32_t, Secret> peppers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sasld
