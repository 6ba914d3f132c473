// Argon2id (RFC 9106) with the key file's pepper as its secret input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/sasl/secret.h"

namespace sasld {

struct Argon2idCost {
  uint32_t memory_kib = 19456;  // OWASP's first choice
  uint32_t iterations = 2;
  uint32_t parallelism = 1;
};

// Thread-safe. Each call takes the cost's memory and milliseconds of CPU: call it on the hashing
// lane.
class PasswordHasher {
 public:
  PasswordHasher(Argon2idCost cost, const Secret& pepper);

  // PHC text. `salt`: 16 random bytes. ResourceExhausted: no memory.
  absl::StatusOr<std::string> Hash(const Secret& prepared_password, std::string_view salt) const;

  // Whether `phc` is a hash of this password. DataLoss: `phc` is not one of ours, or costs more
  // than this process is meant to spend. ResourceExhausted: no memory.
  absl::StatusOr<bool> Verify(std::string_view phc, const Secret& prepared_password) const;

  // The work of Verify for nobody: so that an unknown user takes as long as a known one.
  absl::Status VerifyDecoy(const Secret& prepared_password) const;

  const Argon2idCost& cost() const { return cost_; }

 private:
  absl::StatusOr<Secret> Compute(const Argon2idCost& cost, const Secret& prepared_password,
                                 std::string_view salt, size_t hash_bytes) const;

  const Argon2idCost cost_;
  const Secret pepper_;
};

}  // namespace sasld
