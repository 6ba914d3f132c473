#include "server/auth/access.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "server/auth/network.h"
#include "server/sasl/registry.h"

namespace sasld {
namespace {

constexpr size_t kMaxServiceBytes = 64;
// More is a mistake, or a table that belongs elsewhere.
constexpr size_t kMostInAList = 64;

struct Alias {
  std::string_view name;
  std::string_view canonical;
};
constexpr Alias kAliases[] = {{"submission", "smtp"},  {"submissions", "smtp"}, {"smtps", "smtp"},
                              {"imaps", "imap"},       {"pop", "pop3"},         {"pop3s", "pop3"},
                              {"managesieve", "sieve"}};

bool Contains(const std::vector<std::string>& list, std::string_view one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

// An empty list sets no limit.
bool AllowsService(const std::vector<std::string>& services, std::string_view service) {
  return services.empty() || Contains(services, CanonicalService(service));
}

bool AllowsNetwork(const std::vector<std::string>& networks, std::string_view remote_ip) {
  if (networks.empty()) return true;
  const std::optional<IpAddress> address = IpAddress::Parse(remote_ip);
  if (!address) return false;
  return std::any_of(networks.begin(), networks.end(), [&](const std::string& text) {
    const absl::StatusOr<Network> network = Network::Parse(text);
    return network.ok() && network->Contains(*address);
  });
}

// The variant with channel binding is the same mechanism, and harder to attack.
bool AllowsMechanism(const std::vector<std::string>& mechanisms, std::string_view mechanism) {
  if (mechanisms.empty() || Contains(mechanisms, mechanism)) return true;
  return std::any_of(mechanisms.begin(), mechanisms.end(), [mechanism](const std::string& name) {
    const RegisteredMechanism* known = FindMechanism(name);
    if (known == nullptr) return false;
    const RegisteredMechanism* plus = FindPlusVariant(*known);
    return plus != nullptr && plus->name == mechanism;
  });
}

// Borrowed lists.
struct Limits {
  const std::vector<std::string>& services;
  const std::vector<std::string>& networks;
  const std::vector<std::string>& mechanisms;
};

Limits LimitsOf(const Access& access) {
  return {access.services, access.networks, access.mechanisms};
}

// A list of the account's own takes the place of its domain's.
Limits LimitsOf(const Account& account) {
  const auto list =
      [&account](std::vector<std::string> Access::*which) -> const std::vector<std::string>& {
    const std::vector<std::string>& own = account.access.*which;
    return own.empty() && account.domain ? account.domain->access.*which : own;
  };
  return {list(&Access::services), list(&Access::networks), list(&Access::mechanisms)};
}

// Flags add up: an account cannot be rid of what its domain demands of all.
bool RequiresAppPassword(const Account& account) {
  return account.require_app_password || (account.domain && account.domain->require_app_password);
}

bool IsSendOnly(const Account& account) {
  return account.send_only || (account.domain && account.domain->send_only);
}

std::optional<Denial> WhyNotBy(const Limits& limits, const LoginAttempt& attempt) {
  if (!AllowsService(limits.services, attempt.service)) {
    return Denial{Reason::kServiceNotAllowed, "not for this service"};
  }
  if (!AllowsNetwork(limits.networks, attempt.remote_ip)) {
    return Denial{Reason::kNetworkNotAllowed, "not from this address"};
  }
  if (!AllowsMechanism(limits.mechanisms, attempt.mechanism)) {
    return Denial{Reason::kMechanismNotAllowed, "not by this mechanism"};
  }
  return std::nullopt;
}

std::optional<Denial> WhyNotInForce(const Account& account, absl::Time now) {
  if (!account.enabled) return Denial{Reason::kDisabled, "account disabled"};
  if (account.domain && !account.domain->enabled) {
    return Denial{Reason::kDomainDisabled, "domain disabled"};
  }
  if (now >= account.expires) return Denial{Reason::kAccountExpired, "account expired"};
  return std::nullopt;
}

std::optional<Denial> WhyNotAtAll(const Account& account, const LoginAttempt& attempt) {
  if (auto denial = WhyNotInForce(account, attempt.now)) return denial;
  if (IsSendOnly(account) && CanonicalService(attempt.service) != "smtp") {
    return Denial{Reason::kSendOnly, "account may submit mail only"};
  }
  return std::nullopt;
}

std::optional<Denial> WhyNotWith(const Account& account, const OwnPassword&, const LoginAttempt&) {
  if (RequiresAppPassword(account)) {
    return Denial{Reason::kAppPasswordRequired, "the account's own password lets nobody in"};
  }
  if (account.must_change_password) {
    return Denial{Reason::kMustChangePassword, "the password has to be changed first"};
  }
  return std::nullopt;
}

std::optional<Denial> WhyNotWith(const Account& account, const ByAppPassword& proved,
                                 const LoginAttempt& attempt) {
  const auto one = std::find_if(account.app_passwords.begin(), account.app_passwords.end(),
                                [&](const AppPassword& any) { return any.id == proved.id; });
  if (one == account.app_passwords.end()) {
    return Denial{Reason::kCredentialChanged, "app password revoked meanwhile"};
  }
  if (attempt.now >= one->expires) {
    return Denial{Reason::kAppPasswordExpired, "app password expired"};
  }
  return WhyNotBy(LimitsOf(one->access), attempt);
}

std::optional<Denial> WhyNotWith(const Account&, const ByCertificate&, const LoginAttempt&) {
  return std::nullopt;
}

absl::Status CheckLength(std::string_view field, const std::vector<std::string>& list) {
  if (list.size() <= kMostInAList) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(field), ": more than ", kMostInAList, " of them"));
}

absl::Status Wrong(std::string_view field, const std::string& value, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(field), ": \"", value, "\" ", std::string(what)));
}

void AddOnce(std::vector<std::string>& list, std::string value) {
  if (!Contains(list, value)) list.push_back(std::move(value));
}

}  // namespace

std::string NameOf(const ProvedCredential& proved) {
  struct Visitor {
    std::string operator()(const OwnPassword&) const { return "main"; }
    std::string operator()(const ByAppPassword& one) const { return absl::StrCat("app:", one.id); }
    std::string operator()(const ByCertificate&) const { return "certificate"; }
  };
  return std::visit(Visitor(), proved);
}

std::optional<Denial> WhyNotLetIn(const Account& account, const ProvedCredential& proved,
                                  const LoginAttempt& attempt) {
  if (auto denial = WhyNotAtAll(account, attempt)) return denial;
  const auto with = [&](const auto& which) { return WhyNotWith(account, which, attempt); };
  if (auto denial = std::visit(with, proved)) return denial;
  return WhyNotBy(LimitsOf(account), attempt);
}

std::optional<Denial> WhyNotActedAs(const Account& account, const LoginAttempt& attempt) {
  if (auto denial = WhyNotAtAll(account, attempt)) return denial;
  if (AllowsService(LimitsOf(account).services, attempt.service)) return std::nullopt;
  return Denial{Reason::kServiceNotAllowed, "not for this service"};
}

bool IsInForce(const Account& account, absl::Time now) { return !WhyNotInForce(account, now); }

std::string CanonicalService(std::string_view service) {
  std::string lower(service);
  absl::AsciiStrToLower(&lower);
  for (const Alias& alias : kAliases) {
    if (lower == alias.name) return std::string(alias.canonical);
  }
  return lower;
}

absl::StatusOr<Access> PrepareAccess(const Access& wanted) {
  RETURN_IF_ERROR(CheckLength("services", wanted.services));
  RETURN_IF_ERROR(CheckLength("networks", wanted.networks));
  RETURN_IF_ERROR(CheckLength("mechanisms", wanted.mechanisms));
  Access access;
  for (const std::string& service : wanted.services) {
    const bool is_name = !service.empty() && service.size() <= kMaxServiceBytes &&
                         std::all_of(service.begin(), service.end(), [](unsigned char c) {
                           return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
                         });
    if (!is_name) return Wrong("services", service, "is not a service such as smtp or imap");
    AddOnce(access.services, CanonicalService(service));
  }
  for (const std::string& text : wanted.networks) {
    const absl::StatusOr<Network> network = Network::Parse(text);
    if (!network.ok()) return Wrong("networks", text, std::string(network.status().message()));
    AddOnce(access.networks, network->str());
  }
  for (const std::string& name : wanted.mechanisms) {
    const RegisteredMechanism* mechanism = FindMechanism(name);
    if (mechanism == nullptr) {
      return Wrong("mechanisms", name, "is not a mechanism such as SCRAM-SHA-256 or PLAIN");
    }
    AddOnce(access.mechanisms, std::string(mechanism->name));
  }
  return access;
}

}  // namespace sasld
