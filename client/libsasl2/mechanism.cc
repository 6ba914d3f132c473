#include "client/libsasl2/mechanism.h"

#include <algorithm>

#include "client/libsasl2/fields.h"

namespace sasld::libsasl2 {
namespace {

struct Word {
  std::string_view text;
  bool Mechanism::*property;
};
constexpr Word kWords[] = {
    {"private", &Mechanism::is_private},      {"anonymous", &Mechanism::anonymous},
    {"plaintext", &Mechanism::plaintext},     {"dictionary", &Mechanism::dictionary},
    {"active", &Mechanism::active},           {"forward-secrecy", &Mechanism::forward_secrecy},
    {"mutual-auth", &Mechanism::mutual_auth}, {"channel-binding", &Mechanism::channel_binding},
};

// RFC 4422 section 3.1: 1 to 20 of A-Z, 0-9, '-', '_'.
bool IsMechanismName(std::string_view name) {
  return !name.empty() && name.size() <= 20 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::optional<Mechanism> ParseMechanismLine(std::string_view line) {
  if (NextField(line) != "MECH") return std::nullopt;
  Mechanism mechanism{.name = NextField(line)};
  if (!IsMechanismName(mechanism.name)) return std::nullopt;
  while (!line.empty()) {
    std::string_view given = NextField(line);
    for (const Word& word : kWords) {
      if (word.text == given) mechanism.*word.property = true;
    }
  }
  return mechanism;
}

std::optional<Mechanism> MechanismOfName(std::string_view name) {
  if (!IsMechanismName(name)) return std::nullopt;
  if (IsScram(name)) {
    return Mechanism{.name = name, .mutual_auth = true, .channel_binding = name.ends_with("-PLUS")};
  }
  if (name == "CRAM-MD5") return Mechanism{.name = name, .dictionary = true, .active = true};
  if (name == "DIGEST-MD5") {
    return Mechanism{.name = name, .dictionary = true, .active = true, .mutual_auth = true};
  }
  if (name == "ANONYMOUS") return Mechanism{.name = name, .anonymous = true};
  return Mechanism{.name = name, .plaintext = true};
}

bool IsRelayed(const Mechanism& mechanism) {
  return !mechanism.is_private && !mechanism.channel_binding && mechanism.name != "EXTERNAL";
}

bool IsScram(std::string_view name) { return name.starts_with("SCRAM-"); }

bool ClientSpeaksFirst(std::string_view name) {
  return IsScram(name) || IsOneOf(name, {"PLAIN", "ANONYMOUS", "OAUTHBEARER", "XOAUTH2"});
}

bool TakesAuthzid(std::string_view name) {
  return IsScram(name) || IsOneOf(name, {"PLAIN", "DIGEST-MD5", "OAUTHBEARER"});
}

}  // namespace sasld::libsasl2
