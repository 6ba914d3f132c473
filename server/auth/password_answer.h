// Whether a password is an account's: for whom that is asked, and what comes of it.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/sasl/outcome.h"

namespace sasld {

// For whom a question is answered.
struct Caller {
  std::string source;   // the client's address; what shares one, shares a part of the lane
  absl::Time deadline;  // nobody waits for the answer after this
  // Set once the caller has gone. May be null.
  std::shared_ptr<const std::atomic<bool>> gone;
  std::string service;  // "smtp", "imap", …
  absl::Time now;       // of the clock, when the step began
};

// What an answer stands on. For the audit trail alone: no client may learn it.
enum class Basis { kVerifier, kNoAccount, kNoVerifier };

struct PasswordAnswer {
  PasswordVerdict verdict;
  Basis basis;
  std::string app_password = {};  // the id of the one that matched; empty: the account's own
};
using OnVerdict = absl::AnyInvocable<void(absl::StatusOr<PasswordAnswer>) &&>;

}  // namespace sasld
