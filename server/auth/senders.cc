#include "server/auth/senders.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"

namespace sasld {
namespace {

// More is a matter for a domain.
constexpr size_t kMostSenders = 256;

// Its parts; the local one is empty for all of a domain.
struct Address {
  std::string_view local;
  std::string_view domain;
};

std::optional<Address> Split(std::string_view prepared) {
  const size_t at = prepared.rfind('@');
  if (at == std::string_view::npos || at + 1 == prepared.size()) return std::nullopt;
  if (prepared.find(' ') != std::string_view::npos) return std::nullopt;
  return Address{prepared.substr(0, at), prepared.substr(at + 1)};
}

bool Covers(std::string_view owned, const Address& address) {
  const std::optional<Address> its = Split(owned);
  if (!its || its->domain != address.domain) return false;
  return its->local.empty() || its->local == address.local ||
         its->local == address.local.substr(0, address.local.find('+'));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> PrepareSenders(const std::vector<std::string>& wanted) {
  if (wanted.size() > kMostSenders) {
    return absl::InvalidArgumentError(
        absl::StrCat("senders: more than ", kMostSenders, " of them"));
  }
  std::vector<std::string> senders;
  for (const std::string& text : wanted) {
    const absl::StatusOr<Username> prepared = Username::Prepare(text);
    if (!prepared.ok() || !Split(prepared->str())) {
      return absl::InvalidArgumentError(absl::StrCat(
          "senders: \"", text,
          "\" is neither an address such as ann@example.org nor a domain such as @example.org"));
    }
    if (std::find(senders.begin(), senders.end(), prepared->str()) == senders.end()) {
      senders.push_back(prepared->str());
    }
  }
  return senders;
}

std::string WhySenderOf(const Account& account, std::string_view address) {
  const absl::StatusOr<Username> prepared = Username::Prepare(address);
  if (!prepared.ok()) return "";
  const std::optional<Address> parts = Split(prepared->str());
  if (!parts || parts->local.empty()) return "";
  if (Covers(account.name.str(), *parts)) return account.name.str();
  for (const Username& alias : account.aliases) {
    if (Covers(alias.str(), *parts)) return alias.str();
  }
  const auto found =
      std::find_if(account.senders.begin(), account.senders.end(),
                   [&parts](const std::string& owned) { return Covers(owned, *parts); });
  return found == account.senders.end() ? "" : *found;
}

}  // namespace sasld
