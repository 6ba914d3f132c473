#include "server/auth/attributes.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"

namespace sasld {
namespace {

absl::Status Wrong(std::string_view name, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("attributes: \"", std::string(name), "\" ", std::string(what)));
}

std::string Expand(std::string_view text, const Username& name) {
  const std::string_view domain = DomainOf(name);
  std::string_view local = name.str();
  local.remove_suffix(domain.empty() ? 0 : domain.size() + 1);
  std::string expanded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 1 == text.size()) {
      expanded += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'u':
        expanded += name.str();
        break;
      case 'n':
        expanded += local;
        break;
      case 'd':
        expanded += domain;
        break;
      case '%':
        expanded += '%';
        break;
      default:  // none was stored
        break;
    }
  }
  return expanded;
}

}  // namespace

absl::Status CheckAttributeName(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= kMaxAttributeNameBytes &&
                    std::all_of(name.begin(), name.end(), [](unsigned char c) {
                      return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-' ||
                             c == '_' || c == '.' || c == '/';
                    });
  return fits ? absl::OkStatus()
              : Wrong(name.substr(0, kMaxAttributeNameBytes),
                      "is not a name of 1 to 64 letters a to z, digits, and -, _, . or /");
}

absl::Status CheckAttributeValue(std::string_view name, std::string_view value) {
  if (value.size() > kMaxAttributeValueBytes) {
    return Wrong(name, absl::StrCat("is longer than ", kMaxAttributeValueBytes, " bytes"));
  }
  const bool printable = std::none_of(value.begin(), value.end(),
                                      [](unsigned char c) { return absl::ascii_iscntrl(c); });
  return printable ? absl::OkStatus() : Wrong(name, "has a control character");
}

absl::Status CheckAttributeDefault(std::string_view name, std::string_view value) {
  RETURN_IF_ERROR(CheckAttributeValue(name, value));
  size_t variables = 0;
  for (size_t at = value.find('%'); at != value.npos; at = value.find('%', at + 2)) {
    const std::string_view variable = value.substr(at, 2);
    if (variable != "%u" && variable != "%n" && variable != "%d" && variable != "%%") {
      return Wrong(name, absl::StrCat("has the variable \"", std::string(variable),
                                      "\"; there are %u, %n and %d, and %% for a percent sign"));
    }
    ++variables;
  }
  if (variables <= kMostVariables) return absl::OkStatus();
  return Wrong(name, absl::StrCat("has more than ", kMostVariables, " variables"));
}

absl::Status CheckAttributes(const std::map<std::string, std::string>& attributes) {
  if (attributes.size() > kMostAttributes) {
    return absl::InvalidArgumentError(
        absl::StrCat("attributes: more than ", kMostAttributes, " of them"));
  }
  for (const auto& [name, value] : attributes) {
    RETURN_IF_ERROR(CheckAttributeName(name));
    RETURN_IF_ERROR(CheckAttributeValue(name, value));
  }
  return absl::OkStatus();
}

absl::Status ChangeAttributes(const std::vector<std::string>& take_away,
                              const std::map<std::string, std::string>& set,
                              std::map<std::string, std::string>& attributes) {
  for (const std::string& name : take_away) attributes.erase(name);
  for (const auto& [name, value] : set) attributes[name] = value;
  if (attributes.size() <= kMostAttributes) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("attributes: more than ", kMostAttributes, " of them; take some away first"));
}

std::map<std::string, Attribute> AttributesOf(const Account& account) {
  std::map<std::string, Attribute> attributes;
  for (const auto& [name, value] : account.attributes) {
    attributes.emplace(name, Attribute{value, false});
  }
  if (!account.domain) return attributes;
  for (const auto& [name, value] : account.domain->attributes) {
    if (attributes.contains(name)) continue;
    attributes.emplace(name, Attribute{Expand(value, account.name), true});
  }
  return attributes;
}

}  // namespace sasld
