// What the audit trail has told, as numbers: each login that came to an end, by mechanism and by
// reason. No number is kept of anything that a client may choose.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "proto/common/tally.h"
#include "server/sasl/outcome.h"

namespace sasld {

enum class LoginResult { kGranted, kRefused, kTemporary };

// Why nobody could tell, where not the client is to blame.
enum class Trouble {
  kQueueFull,  // too many passwords wait to be hashed
  kTooLate,    // it waited too long, or the caller had gone
  kStore,      // the store cannot be read
  kInternal,   // anything else
};
Trouble TroubleOf(const absl::Status& why);

// Thread-safe. What is read while logins end may have one of them in a part of the numbers.
class LoginCounts {
 public:
  LoginCounts();

  // `mechanism`: as AuditRecord has it.
  void Granted(std::string_view mechanism);
  void Refused(std::string_view mechanism, Reason reason);
  void HeldBack(std::string_view mechanism, Reason reason);
  void Undecided(std::string_view mechanism, Trouble trouble);

  // All that there are; the last is "unknown".
  size_t mechanisms() const { return by_mechanism_.size(); }
  static std::string_view MechanismName(size_t index);
  uint64_t Of(size_t mechanism, LoginResult result) const;
  uint64_t Total(LoginResult result) const;
  uint64_t Of(Reason reason) const;
  uint64_t Of(Trouble trouble) const;

 private:
  using Results = std::array<Tally, 3>;

  void Count(std::string_view mechanism, LoginResult result);

  std::vector<Results> by_mechanism_;
  std::array<Tally, static_cast<size_t>(kLastReason) + 1> by_reason_;
  std::array<Tally, static_cast<size_t>(Trouble::kInternal) + 1> by_trouble_;
};

}  // namespace sasld
