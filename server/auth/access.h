// May somebody who proved a credential come in by it? The rules of the account, of its domain and
// of the app password, as a pure function. When it is asked is for exchange.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/sasl/outcome.h"
#include "storage/store.h"

namespace sasld {

// What was proved.
struct OwnPassword {};
struct ByAppPassword {
  std::string id;
};
struct ByCertificate {};
using ProvedCredential = std::variant<OwnPassword, ByAppPassword, ByCertificate>;

// "main", "app:ID", "certificate": for the audit trail.
std::string NameOf(const ProvedCredential& proved);

// What somebody comes in for.
struct LoginAttempt {
  std::string_view service;    // as the mail server calls it; empty: it does not say
  std::string_view remote_ip;  // empty: it does not say
  std::string_view mechanism;  // as registered
  absl::Time now;
};

struct Denial {
  Reason reason;
  std::string_view detail;  // static, for the log
};

// Nothing: it may. What the domain demands of its accounts holds beside what the account's own
// rules do; a list of the account's own takes the place of the domain's. Where a rule names
// services or networks, and the mail server does not say which it is, it may not.
std::optional<Denial> WhyNotLetIn(const Account& account, const ProvedCredential& proved,
                                  const LoginAttempt& attempt);

// Whether another, who may, can act as this account (authzid): what the account may do holds for
// him too; from where and how is the other's own matter.
std::optional<Denial> WhyNotActedAs(const Account& account, const LoginAttempt& attempt);

// Mail servers call one service by more than one name: Postfix says "smtp" at every port, Dovecot
// "submission" where it relays; "sieve" and "managesieve", and names with an "s" for TLS. In lower
// case, and one name for one service: "smtp", "imap", "pop3", "sieve", others as they are.
std::string CanonicalService(std::string_view service);

// Whether anybody can come in by it at all, wherever from and whatever for: enabled and not
// expired, its domain too.
bool IsInForce(const Account& account, absl::Time now);

// As it is stored: services by their canonical names, networks as Network prints them, mechanisms
// as registered. InvalidArgument: the text names "services", "networks" or "mechanisms", and what
// is wrong.
absl::StatusOr<Access> PrepareAccess(const Access& wanted);

}  // namespace sasld
