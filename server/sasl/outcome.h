// What a step of a mechanism leads to. A sum type: a mechanism cannot be done and failed at once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/functional/any_invocable.h"
#include "server/sasl/scram_keys.h"
#include "server/sasl/secret.h"
#include "server/sasl/username.h"

namespace sasld {

// Who proved to be whom (RFC 4422 section 2): authcid is whose password it was. No authzid: the
// client asked for none, and acts as itself.
struct Identity {
  Username authcid;
  std::optional<Username> authzid;
};

// Why a client is not let in: for the audit trail. What the client is told is another matter.
enum class Reason {
  kMalformed,          // not a message of this mechanism
  kBadCredentials,     // no such user, or the wrong password: a mechanism cannot tell
  kStateInvalid,       // the state that came back is not ours, or of another connection, or too old
  kNonceMismatch,      // an answer to another challenge
  kBindingMismatch,    // channel binding or GS2 header changed on the way
  kCredentialChanged,  // the password was changed between two steps
  kMechanismUnavailable,  // unknown or switched off
  kEncryptionRequired,    // plaintext on a connection that is not secured
  kInvalidBase64,         // could not be decoded
  kNotAuthorized,         // right password, but may not act as authzid
  kDisabled,              // right password, but the account is disabled
};

// The exchange goes on. `state` is all that the next step needs, as bytes.
struct Challenge {
  std::string data;
  std::string state;
};

// The client proved its identity. Whether it may act so is for policy. `data`: additional data with
// success (RFC 4422 section 3.6).
struct Success {
  Identity identity;
  std::optional<std::string> data;
};

// `detail` is a static text for the log, never sent. `authcid`: whom the client claimed to be, if
// that was learned.
struct Failure {
  Reason reason;
  std::string_view detail;
  std::optional<Username> authcid = std::nullopt;
};

// Questions that only the engine can answer, each with what is to happen then. `then` is called
// once at most, on any thread, and not at all if the engine cannot tell (that is its failure, not
// the client's). It owns all it needs.
struct PasswordClaim {
  Username authcid;
  Secret password;  // prepared
};
enum class PasswordVerdict { kMatch, kNoMatch };

struct ScramUser {
  Username authcid;
  ScramHash hash;
};

struct CheckPassword;
struct FetchScramKeys;
using Outcome = std::variant<Challenge, CheckPassword, FetchScramKeys, Success, Failure>;

// Slow: answered on the hashing lane.
struct CheckPassword {
  PasswordClaim question;
  absl::AnyInvocable<Outcome(PasswordVerdict) &&> then;
};
// Answered from the store; an unknown user gets stable decoys that no proof fits.
struct FetchScramKeys {
  ScramUser question;
  absl::AnyInvocable<Outcome(ScramKeys) &&> then;
};

}  // namespace sasld
