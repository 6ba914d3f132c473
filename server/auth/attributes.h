// Attributes for userdb answers ("uid", "home", …): an account's own, and the defaults of its
// domain, in which Dovecot's variables stand for the account's name.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "storage/store.h"

namespace sasld {

// More is a mistake, or data that belongs elsewhere.
inline constexpr size_t kMostAttributes = 64;
inline constexpr size_t kMaxAttributeNameBytes = 64;
inline constexpr size_t kMaxAttributeValueBytes = 1024;
// In one value: each is replaced by up to 255 bytes.
inline constexpr size_t kMostVariables = 16;

// InvalidArgument: not 1 to 64 of a-z, 0-9, "-", "_", "." and "/"; the text names "attributes".
absl::Status CheckAttributeName(std::string_view name);
// InvalidArgument: too long, or a control character, which would end a line of a userdb answer; the
// text names "attributes" and `name`.
absl::Status CheckAttributeValue(std::string_view name, std::string_view value);
// As CheckAttributeValue, for a domain's. Also: a "%" that begins none of the variables %u (the
// whole name), %n (what is before its last @), %d (the domain) and %% (a percent sign).
absl::Status CheckAttributeDefault(std::string_view name, std::string_view value);

// An account's own, names and values. InvalidArgument: as above, or more than kMostAttributes.
absl::Status CheckAttributes(const std::map<std::string, std::string>& attributes);

// Takes away those of these names that there are, then sets others. FailedPrecondition: there would
// be more than kMostAttributes.
absl::Status ChangeAttributes(const std::vector<std::string>& take_away,
                              const std::map<std::string, std::string>& set,
                              std::map<std::string, std::string>& attributes);

struct Attribute {
  std::string value;
  bool from_domain = false;

  friend bool operator==(const Attribute&, const Attribute&) = default;
};

// What holds for the account, by name: its own, and those of its domain that it has none of the
// same name for, with their variables replaced.
std::map<std::string, Attribute> AttributesOf(const Account& account);

}  // namespace sasld
