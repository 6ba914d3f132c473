// What an administrator does to accounts. The one place where a password becomes verifiers.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/auth/entropy.h"
#include "server/auth/lane.h"
#include "server/auth/password_hash.h"
#include "storage/store.h"

namespace sasld {

// Thread-safe; setting a password blocks for its hashing, on the lane. What it is given must
// outlive it.
//
// Errors common to all: InvalidArgument (the text names "name" or "password" and the rule),
// NotFound, Unavailable (nothing was changed), ResourceExhausted (the lane is full).
class Accounts {
 public:
  Accounts(Store& store, const PasswordHasher& hasher, Lane& lane, Entropy& entropy,
           uint32_t scram_iterations);

  // AlreadyExists: there is one of that name.
  absl::StatusOr<Account> Create(std::string_view name, std::string_view password, bool enabled,
                                 absl::Time now);
  absl::StatusOr<Account> SetPassword(std::string_view name, std::string_view password,
                                      absl::Time now);
  absl::StatusOr<Account> SetEnabled(std::string_view name, bool enabled);
  // The prepared name of whom it removed.
  absl::StatusOr<Username> Remove(std::string_view name);
  absl::StatusOr<Account> Get(std::string_view name) const;

 private:
  absl::StatusOr<Credential> Derive(std::string_view password);
  // Reads, changes, writes; again if somebody else wrote in between.
  template <typename Change>
  absl::StatusOr<Account> Modify(std::string_view name, Change change);

  Store& store_;
  const PasswordHasher& hasher_;
  Lane& lane_;
  Entropy& entropy_;
  const uint32_t scram_iterations_;
};

}  // namespace sasld
