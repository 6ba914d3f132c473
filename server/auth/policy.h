// What the administrator allows: which mechanisms, where, and who may act as whom. When it is asked
// is for exchange.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "server/auth/certificate_rules.h"
#include "server/auth/throttle.h"
#include "server/sasl/registry.h"
#include "server/sasl/username.h"

namespace sasld {

enum class PlaintextRule {
  kSecured,  // only on a secured connection, or one that stays on this machine
  kAlways,
};

struct ExchangePolicy {
  std::vector<std::string> mechanisms;  // enabled, best first, as registered
  PlaintextRule plaintext = PlaintextRule::kSecured;
  // A refusal leaves so long after its step came in, whatever the work took: so time tells nothing.
  absl::Duration failure_delay = absl::Seconds(2);
  // An exchange that takes longer between two steps has to start again.
  absl::Duration state_lifetime = absl::Seconds(120);
  // May act as any other enabled account (authzid).
  std::vector<Username> proxies;
  // The domain that a name without one is taken to have: prepared; empty for none.
  std::string default_realm;
  // What the server calls itself in DIGEST-MD5 and CRAM-MD5: printable ASCII, no quote, backslash
  // or angle bracket. Must not be empty if DIGEST-MD5 is enabled.
  std::string realm;
  // Whose certificate is whose account's (EXTERNAL).
  CertificateRules certificates;
  // Whom ANONYMOUS lets in as. Must be set if it is enabled.
  std::optional<Username> anonymous;
  // How much guessing is let by.
  ThrottleRules throttle;

  friend bool operator==(const ExchangePolicy&, const ExchangePolicy&) = default;
};

// A policy made ready for use. Thread-safe, as it does not change.
class PolicyInForce {
 public:
  struct Enabled {
    const RegisteredMechanism* registered;
    std::unique_ptr<const Mechanism> mechanism;
    bool with_binding_too;  // its -PLUS variant is enabled as well
  };

  explicit PolicyInForce(const ExchangePolicy& policy);

  const ExchangePolicy& policy() const { return policy_; }
  const std::vector<Enabled>& enabled() const { return enabled_; }  // best first

  // Null: unknown or not enabled. Names are compared without regard to case.
  const Enabled* Find(std::string_view name) const;

  // Whether nobody can listen in where the password itself is sent.
  bool AllowsPlaintext(const ConnectionFacts& facts) const;
  // Whether the connection has what the mechanism lives on.
  static bool CanWork(const RegisteredMechanism& mechanism, const ConnectionFacts& facts);
  bool Offers(const RegisteredMechanism& mechanism, const ConnectionFacts& facts) const;
  // All that are offered to a client with these facts, best first. Null: to one not known yet.
  std::vector<const RegisteredMechanism*> Offered(const ConnectionFacts* facts) const;
  bool MayActAs(const Username& authcid, const Username& authzid) const;

 private:
  const ExchangePolicy policy_;
  std::vector<Enabled> enabled_;
};

}  // namespace sasld
