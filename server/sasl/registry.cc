#include "server/sasl/registry.h"

#include <algorithm>
#include <array>

namespace sasld {
namespace {

template <Hash hash, ScramVariant variant>
constexpr RegisteredMechanism ScramEntry(std::string_view name, bool by_default) {
  return {name,
          {.mutual_auth = true, .channel_binding = variant == ScramVariant::kPlus},
          Verifier::kScram,
          by_default,
          [] { return MakeScram(hash, variant); },
          hash};
}

constexpr ScramVariant kPlus = ScramVariant::kPlus;
constexpr ScramVariant kPlain = ScramVariant::kPlain;

constexpr std::array kMechanisms = {
    ScramEntry<Hash::kSha3_512, kPlus>("SCRAM-SHA3-512-PLUS", false),
    ScramEntry<Hash::kSha512, kPlus>("SCRAM-SHA-512-PLUS", false),
    ScramEntry<Hash::kSha384, kPlus>("SCRAM-SHA-384-PLUS", false),
    ScramEntry<Hash::kSha256, kPlus>("SCRAM-SHA-256-PLUS", true),
    ScramEntry<Hash::kSha224, kPlus>("SCRAM-SHA-224-PLUS", false),
    ScramEntry<Hash::kSha1, kPlus>("SCRAM-SHA-1-PLUS", false),
    RegisteredMechanism{"EXTERNAL", {}, Verifier::kCertificate, false, &MakeExternal},
    ScramEntry<Hash::kSha3_512, kPlain>("SCRAM-SHA3-512", false),
    ScramEntry<Hash::kSha512, kPlain>("SCRAM-SHA-512", false),
    ScramEntry<Hash::kSha384, kPlain>("SCRAM-SHA-384", false),
    ScramEntry<Hash::kSha256, kPlain>("SCRAM-SHA-256", true),
    ScramEntry<Hash::kSha224, kPlain>("SCRAM-SHA-224", false),
    ScramEntry<Hash::kSha1, kPlain>("SCRAM-SHA-1", false),
    RegisteredMechanism{"DIGEST-MD5",
                        {.dictionary = true, .active = true, .mutual_auth = true},
                        Verifier::kDigestMd5,
                        false,
                        &MakeDigestMd5,
                        {},
                        true},
    RegisteredMechanism{"CRAM-MD5",
                        {.dictionary = true, .active = true},
                        Verifier::kCramMd5,
                        false,
                        &MakeCramMd5,
                        {},
                        true},
    RegisteredMechanism{"PLAIN", {.plaintext = true}, Verifier::kPassword, true, &MakePlain},
    RegisteredMechanism{"LOGIN", {.plaintext = true}, Verifier::kPassword, true, &MakeLogin},
    RegisteredMechanism{"ANONYMOUS", {.anonymous = true}, Verifier::kNone, false, &MakeAnonymous},
};

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [upper](char x, char y) { return upper(x) == upper(y); });
}

}  // namespace

std::span<const RegisteredMechanism> AllMechanisms() { return kMechanisms; }

const RegisteredMechanism* FindMechanism(std::string_view name) {
  const auto* found = std::find_if(
      kMechanisms.begin(), kMechanisms.end(),
      [name](const RegisteredMechanism& known) { return EqualsIgnoringCase(known.name, name); });
  return found == kMechanisms.end() ? nullptr : found;
}

const RegisteredMechanism* FindPlusVariant(const RegisteredMechanism& mechanism) {
  if (mechanism.verifier != Verifier::kScram || mechanism.properties.channel_binding) {
    return nullptr;
  }
  const auto* found = std::find_if(
      kMechanisms.begin(), kMechanisms.end(), [&mechanism](const RegisteredMechanism& other) {
        return other.properties.channel_binding && other.hash == mechanism.hash;
      });
  return found == kMechanisms.end() ? nullptr : found;
}

}  // namespace sasld
