// What stands for a claimed password where one must be found again, but none may be kept.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "server/sasl/outcome.h"
#include "server/sasl/secret.h"

namespace sasld {

// Thread-safe.
class ClaimMac {
 public:
  using Value = std::array<char, 32>;

  // `key`: 32 random bytes, drawn at start, never used elsewhere.
  explicit ClaimMac(Secret key) : key_(std::move(key)) {}

  // HMAC-SHA-256 over the account's name, its epoch, the service and the password.
  Value Of(const PasswordClaim& claim, std::string_view service, uint64_t account_epoch) const;

 private:
  const Secret key_;
};

}  // namespace sasld
