// The mechanisms to greet with, also while no sasld can be asked: smtpd dies of a greeting without
// any.
//
// In this order: what sasld said last; what it had said before the last restart (state file); what
// the configuration has as fallback. Not thread-safe.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "sasld/v1/sasl.pb.h"

namespace sasld {

class MechanismCache {
 public:
  // `state_file` is empty for none. `fallback` offers at least one mechanism.
  MechanismCache(v1::ListMechanismsReply fallback, std::string state_file);

  // Reads the state file. NotFound: there is none yet. InvalidArgument: it makes no sense, and is
  // ignored. Unavailable: it cannot be read.
  absl::Status Load();

  // Takes sasld's list and keeps it, in the file too if it is another one than before.
  // FailedPrecondition: it offers nothing, and what was known before stays. Unavailable: taken, but
  // the file could not be written; the text says why.
  absl::Status Learn(const v1::ListMechanismsReply& mechanisms);

  const v1::ListMechanismsReply& current() const { return current_; }

 private:
  absl::Status Save() const;

  const std::string state_file_;
  std::string known_;  // current_ as text, if it is more than the fallback
  v1::ListMechanismsReply current_;
};

}  // namespace sasld
