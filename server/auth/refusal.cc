#include "server/auth/refusal.h"

namespace sasld {

std::variant<Refusal, Undecided> WhatTheClientLearns(Reason reason) {
  switch (reason) {
    case Reason::kMalformed:
      return Refusal::kMalformed;
    case Reason::kMechanismUnavailable:
      return Refusal::kMechanismUnavailable;
    case Reason::kEncryptionRequired:
      return Refusal::kEncryptionRequired;
    case Reason::kInvalidBase64:
      return Refusal::kInvalidBase64;
    case Reason::kBadCredentials:
    case Reason::kStateInvalid:
    case Reason::kNonceMismatch:
    case Reason::kBindingMismatch:
    case Reason::kCredentialChanged:
    case Reason::kNotAuthorized:
    case Reason::kDisabled:
    case Reason::kDomainDisabled:
    case Reason::kAccountExpired:
    case Reason::kMustChangePassword:
    case Reason::kAppPasswordRequired:
    case Reason::kAppPasswordExpired:
    case Reason::kServiceNotAllowed:
    case Reason::kNetworkNotAllowed:
    case Reason::kMechanismNotAllowed:
    case Reason::kSendOnly:
    case Reason::kUnknownUser:
    case Reason::kNoVerifier:
      return Refusal::kAuthenticationFailed;
    case Reason::kUsedBefore:
      // A step may come again because the answer to it was lost on the way.
      return Undecided{"the exchange has to start again", false};
    // The password may be right. And elsewhere there must be no more guesses to be had.
    case Reason::kPeerThrottled:
      return Undecided{"too many failed logins from this address", false};
    case Reason::kAccountThrottled:
      return Undecided{"too many failed logins of this account", false};
  }
  return Refusal::kAuthenticationFailed;
}

Undecided WhatTheClientLearns(const absl::Status& why) {
  switch (why.code()) {
    case absl::StatusCode::kResourceExhausted:
      return {"too busy to check passwords", true};
    case absl::StatusCode::kDeadlineExceeded:
      return {"took too long", true};
    default:
      return {"the credential store cannot be read", true};
  }
}

}  // namespace sasld
