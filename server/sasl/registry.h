// THE LIST of mechanisms. To add one: a file, and a line in registry.cc (recipe: server/README.md).
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "server/sasl/mechanism.h"

namespace sasld {

// The security properties of RFC 4422 section 6, as Postfix and Dovecot know them.
struct MechanismProperties {
  bool plaintext = false;   // sends the password
  bool dictionary = false;  // a listener can try passwords offline
  bool active = false;      // open to an active attacker
  bool mutual_auth = false;
  bool forward_secrecy = false;
  bool anonymous = false;
};

struct RegisteredMechanism {
  std::string_view name;  // as registered with IANA
  MechanismProperties properties;
  std::unique_ptr<const Mechanism> (*make)();
};

// All that this build knows, best first.
std::span<const RegisteredMechanism> AllMechanisms();

// Nothing for an unknown name. Names are compared without regard to case: clients send any (RFC
// 4422 section 3.1 has upper case only, Postfix passes on what was typed).
const RegisteredMechanism* FindMechanism(std::string_view name);

std::unique_ptr<const Mechanism> MakePlain();
std::unique_ptr<const Mechanism> MakeLogin();
std::unique_ptr<const Mechanism> MakeScramSha256();

}  // namespace sasld
