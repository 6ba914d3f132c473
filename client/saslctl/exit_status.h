// The exit statuses of saslctl. Scripts rely on them: never renumber.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace sasld::saslctl {

enum class ExitStatus {
  kOk = 0,
  kError = 1,
  kUsage = 2,
  kNotFound = 3,
  kDenied = 4,
  kConflict = 5,
  kPolicy = 6,
  kUnavailable = 7,
};

// Inside saslctl InvalidArgument always means that the command line is wrong: what a server calls
// so was refused by its rules, and becomes FailedPrecondition in connection.cc.
inline ExitStatus ExitStatusOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitStatus::kOk;
    case absl::StatusCode::kInvalidArgument:
      return ExitStatus::kUsage;
    case absl::StatusCode::kNotFound:
      return ExitStatus::kNotFound;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return ExitStatus::kDenied;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return ExitStatus::kConflict;
    case absl::StatusCode::kFailedPrecondition:
      return ExitStatus::kPolicy;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
      return ExitStatus::kUnavailable;
    default:
      return ExitStatus::kError;
  }
}

// The status in JSON errors: "not_found".
inline std::string_view ExitStatusName(ExitStatus status) {
  switch (status) {
    case ExitStatus::kOk:
      return "ok";
    case ExitStatus::kError:
      return "error";
    case ExitStatus::kUsage:
      return "usage";
    case ExitStatus::kNotFound:
      return "not_found";
    case ExitStatus::kDenied:
      return "denied";
    case ExitStatus::kConflict:
      return "conflict";
    case ExitStatus::kPolicy:
      return "policy";
    case ExitStatus::kUnavailable:
      return "unavailable";
  }
  return "error";
}

}  // namespace sasld::saslctl
