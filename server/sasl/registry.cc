#include "server/sasl/registry.h"

#include <algorithm>
#include <array>

namespace sasld {
namespace {

constexpr std::array kMechanisms = {
    RegisteredMechanism{"SCRAM-SHA-256", {.mutual_auth = true}, &MakeScramSha256},
    RegisteredMechanism{"PLAIN", {.plaintext = true}, &MakePlain},
    RegisteredMechanism{"LOGIN", {.plaintext = true}, &MakeLogin},
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

}  // namespace sasld
