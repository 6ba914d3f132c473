#include "client/adapter/mechanism_text.h"

#include <algorithm>
#include <array>

#include "absl/status/status.h"

namespace sasld {
namespace {

struct Word {
  std::string_view text;
  bool (v1::MechanismInfo::*get)() const;
  void (v1::MechanismInfo::*set)(bool);
};

// In the order in which Dovecot writes them.
constexpr std::array<Word, 8> kWords{{
    {"private", &v1::MechanismInfo::private_, &v1::MechanismInfo::set_private_},
    {"anonymous", &v1::MechanismInfo::anonymous, &v1::MechanismInfo::set_anonymous},
    {"plaintext", &v1::MechanismInfo::plaintext, &v1::MechanismInfo::set_plaintext},
    {"dictionary", &v1::MechanismInfo::dictionary, &v1::MechanismInfo::set_dictionary},
    {"active", &v1::MechanismInfo::active, &v1::MechanismInfo::set_active},
    {"forward-secrecy", &v1::MechanismInfo::forward_secrecy,
     &v1::MechanismInfo::set_forward_secrecy},
    {"mutual-auth", &v1::MechanismInfo::mutual_auth, &v1::MechanismInfo::set_mutual_auth},
    {"channel-binding", &v1::MechanismInfo::channel_binding,
     &v1::MechanismInfo::set_channel_binding},
}};

std::string_view NextWord(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

bool IsMechanismName(std::string_view name) {
  return !name.empty() && name.size() <= 20 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

void AppendMechanism(const v1::MechanismInfo& mechanism, char separator, std::string& out) {
  out += mechanism.name();
  for (const Word& word : kWords) {
    if ((mechanism.*word.get)()) (out += separator) += word.text;
  }
}

absl::StatusOr<v1::MechanismInfo> ParseMechanism(std::string_view text) {
  v1::MechanismInfo mechanism;
  std::string name(NextWord(text));
  if (!IsMechanismName(name)) {
    return absl::InvalidArgumentError("\"" + name +
                                      "\" is not a mechanism's name such as \"PLAIN\"");
  }
  mechanism.set_name(name);
  for (std::string_view given = NextWord(text); !given.empty(); given = NextWord(text)) {
    auto word = std::find_if(kWords.begin(), kWords.end(),
                             [given](const Word& w) { return w.text == given; });
    if (word == kWords.end()) {
      return absl::InvalidArgumentError(
          "\"" + std::string(given) + "\" is not a property of a mechanism such as \"plaintext\"");
    }
    (mechanism.*word->set)(true);
  }
  return mechanism;
}

bool IsOffered(const v1::MechanismInfo& mechanism) {
  return !mechanism.private_() && !mechanism.channel_binding() && IsMechanismName(mechanism.name());
}

bool OffersAny(const v1::ListMechanismsReply& mechanisms) {
  return std::any_of(mechanisms.mechanisms().begin(), mechanisms.mechanisms().end(), IsOffered);
}

}  // namespace sasld
