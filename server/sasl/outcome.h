// What a step of a mechanism leads to. A sum type: a mechanism cannot be done and failed at once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/functional/any_invocable.h"
#include "server/sasl/certificate.h"
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
  kBindingMismatch,    // channel binding or GS2 header changed on the way, or a downgrade
  kCredentialChanged,  // what was proved is no credential of the account's any more
  kMechanismUnavailable,  // unknown or switched off
  kEncryptionRequired,    // plaintext on a connection that is not secured
  kInvalidBase64,         // could not be decoded
  kNotAuthorized,         // right password, but may not act as authzid
  kDisabled,              // right password, but the account is disabled
  kDomainDisabled,        // likewise, its domain is
  kAccountExpired,        // likewise, its time is over
  kMustChangePassword,    // likewise, with a password that has to be changed first
  kAppPasswordRequired,   // likewise, with the account's own password where that lets nobody in
  kAppPasswordExpired,    // the right app password, but its time is over
  kServiceNotAllowed,     // right, but not for this service
  kNetworkNotAllowed,     // right, but not from this address
  kMechanismNotAllowed,   // right, but not by this mechanism
  kSendOnly,              // right, but the account may submit mail only
  kUnknownUser,           // bad credentials, as there is no such user: only the engine knows
  kNoVerifier,            // likewise, as the user has none that this mechanism could use
  kUsedBefore,            // a challenge of limited use was answered before
  kPeerThrottled,         // too many failures from its address
  kAccountThrottled,      // too many failures of this account, by those who are not known for it
};
inline constexpr Reason kLastReason = Reason::kAccountThrottled;

// The exchange goes on. `state` is all that the next step needs, as bytes. A type of channel
// binding ("tls-exporter", RFC 5056): the next step needs its data too.
struct Challenge {
  std::string data;
  std::string state;
  std::string channel_binding_type = {};
};

// The client proved its identity. Whether it may act so is for policy. `data`: additional data with
// success (RFC 4422 section 3.6). `candidate`: the name of the ScramCandidate that fitted; empty
// where there was no choice.
struct Success {
  Identity identity;
  std::optional<std::string> data;
  std::string candidate = {};
};

// Let in without being anybody (RFC 4505). As which account is for policy. `trace`: what the client
// says of itself, unproved; UTF-8, for the log.
struct AnonymousSuccess {
  std::string trace;
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
  Hash hash;
};

// Mechanisms of old are checked with what is as good as the password: RFC 2195's HMAC-MD5 states
// (inner and outer, 16 bytes each), RFC 2831's H(username:realm:passwd) (16 bytes).
enum class PasswordEquivalent { kCramMd5, kDigestMd5 };
struct EquivalentOf {
  Username authcid;
  PasswordEquivalent kind;
  std::string realm;  // RFC 2831's; empty for CRAM-MD5
};

struct CheckPassword;
struct FetchScramKeys;
struct FetchPasswordEquivalent;
struct IdentifyCertificate;
using Outcome = std::variant<Challenge, CheckPassword, FetchScramKeys, FetchPasswordEquivalent,
                             IdentifyCertificate, Success, AnonymousSuccess, Failure>;

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
// Likewise: an unknown user, and one of whom no such form is kept, gets a stable decoy.
struct FetchPasswordEquivalent {
  EquivalentOf question;
  absl::AnyInvocable<Outcome(Secret) &&> then;
};
// Whose certificate it is, by the administrator's rules; nothing if they name nobody.
struct IdentifyCertificate {
  ClientCertificate question;
  absl::AnyInvocable<Outcome(std::optional<Username>) &&> then;
};

}  // namespace sasld
