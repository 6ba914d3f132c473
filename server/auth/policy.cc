#include "server/auth/policy.h"

#include <algorithm>

#include "server/auth/network.h"

namespace sasld {
namespace {

// Whoever reaches the mail server without leaving the machine cannot be listened to on the way. A
// caller that names no address has no network connection to speak of.
bool StaysOnThisMachine(const ConnectionFacts& facts) {
  if (facts.remote_ip.empty() || facts.remote_ip == facts.local_ip) return true;
  const std::optional<IpAddress> remote = IpAddress::Parse(facts.remote_ip);
  return remote && remote->IsLoopback();
}

}  // namespace

PolicyInForce::PolicyInForce(const ExchangePolicy& policy) : policy_(policy) {
  for (const std::string& name : policy_.mechanisms) {
    if (const RegisteredMechanism* known = FindMechanism(name)) {
      enabled_.push_back({known, known->make(), false});
    }
  }
  for (Enabled& one : enabled_) {
    const RegisteredMechanism* plus = FindPlusVariant(*one.registered);
    one.with_binding_too = plus != nullptr && Find(plus->name) != nullptr;
  }
}

const PolicyInForce::Enabled* PolicyInForce::Find(std::string_view name) const {
  const RegisteredMechanism* known = FindMechanism(name);
  const auto found = std::find_if(enabled_.begin(), enabled_.end(),
                                  [known](const Enabled& one) { return one.registered == known; });
  return found == enabled_.end() ? nullptr : &*found;
}

bool PolicyInForce::AllowsPlaintext(const ConnectionFacts& facts) const {
  return policy_.plaintext == PlaintextRule::kAlways || facts.secured || StaysOnThisMachine(facts);
}

bool PolicyInForce::CanWork(const RegisteredMechanism& mechanism, const ConnectionFacts& facts) {
  if (mechanism.properties.channel_binding && !facts.can_bind) return false;
  return mechanism.verifier != Verifier::kCertificate || facts.certificate;
}

bool PolicyInForce::Offers(const RegisteredMechanism& mechanism,
                           const ConnectionFacts& facts) const {
  return CanWork(mechanism, facts) && (!mechanism.properties.plaintext || AllowsPlaintext(facts));
}

std::vector<const RegisteredMechanism*> PolicyInForce::Offered(const ConnectionFacts* facts) const {
  std::vector<const RegisteredMechanism*> offered;
  for (const Enabled& enabled : enabled_) {
    const RegisteredMechanism& mechanism = *enabled.registered;
    if (facts ? Offers(mechanism, *facts) : CanWork(mechanism, {})) offered.push_back(&mechanism);
  }
  return offered;
}

bool PolicyInForce::MayActAs(const Username& authcid, const Username& authzid) const {
  return authcid == authzid || std::find(policy_.proxies.begin(), policy_.proxies.end(), authcid) !=
                                   policy_.proxies.end();
}

}  // namespace sasld
