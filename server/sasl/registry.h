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
  bool channel_binding = false;  // wants channel binding data
};

// What a mechanism needs of an account to let it in.
enum class Verifier { kPassword, kScram, kCramMd5, kDigestMd5, kCertificate, kNone };

struct RegisteredMechanism {
  std::string_view name;  // as registered with IANA
  MechanismProperties properties;
  Verifier verifier;
  // Offered unless the configuration says otherwise.
  bool by_default;
  std::unique_ptr<const Mechanism> (*make)();
  Hash hash = Hash::kSha256;  // SCRAM's
  // What answers a challenge is the same each time, so that each may be answered once only.
  bool challenge_is_used_once = false;
};

// All that this build knows, best first.
std::span<const RegisteredMechanism> AllMechanisms();

// Nothing for an unknown name. Names are compared without regard to case: clients send any (RFC
// 4422 section 3.1 has upper case only, Postfix passes on what was typed).
const RegisteredMechanism* FindMechanism(std::string_view name);

// The variant with channel binding of a mechanism that has one, else nothing.
const RegisteredMechanism* FindPlusVariant(const RegisteredMechanism& mechanism);

std::unique_ptr<const Mechanism> MakePlain();
std::unique_ptr<const Mechanism> MakeLogin();
std::unique_ptr<const Mechanism> MakeCramMd5();
std::unique_ptr<const Mechanism> MakeDigestMd5();
std::unique_ptr<const Mechanism> MakeExternal();
std::unique_ptr<const Mechanism> MakeAnonymous();

enum class ScramVariant { kPlain, kPlus };
std::unique_ptr<const Mechanism> MakeScram(Hash hash, ScramVariant variant);

}  // namespace sasld
