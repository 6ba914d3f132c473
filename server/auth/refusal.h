// What a client may learn of why it is not let in. It is less than the audit trail has.
#pragma once

#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "server/sasl/outcome.h"

namespace sasld {

enum class Refusal {
  kAuthenticationFailed,
  kMalformed,
  kMechanismUnavailable,
  kEncryptionRequired,
  kInvalidBase64
};

// Nobody can tell now. `text` is static and short.
struct Undecided {
  std::string_view text;
  bool retry_elsewhere;  // another server may know better, at once
};

// `reason` is no member of Refusal for those who are not wrong, or not for sure.
std::variant<Refusal, Undecided> WhatTheClientLearns(Reason reason);

// The same where we are broken. `why` must not be OK.
Undecided WhatTheClientLearns(const absl::Status& why);

}  // namespace sasld
