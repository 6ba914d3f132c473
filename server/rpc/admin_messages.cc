#include "server/rpc/admin_messages.h"

#include <optional>
#include <vector>

#include "server/auth/attributes.h"
#include "server/auth/coverage.h"
#include "server/sasl/registry.h"

namespace sasld {
namespace {

using Texts = google::protobuf::RepeatedPtrField<std::string>;

std::vector<std::string> ListOf(const Texts& texts) { return {texts.begin(), texts.end()}; }

}  // namespace

// absl::Status and grpc::Status number their codes alike, by design.
grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

void SetTime(absl::Time time, google::protobuf::Timestamp& timestamp) {
  timestamp.set_seconds(absl::ToUnixSeconds(time));
}

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds());
}

void FillUser(const Account& account, v1::User& user) {
  user.set_name(account.name.str());
  user.set_enabled(account.enabled);
  user.set_epoch(account.epoch);
  SetTime(account.created, *user.mutable_created());
  SetTime(account.password_changed, *user.mutable_password_changed());
  for (const RegisteredMechanism& mechanism : AllMechanisms()) {
    if (CanServe(account.credential, mechanism)) user.add_mechanisms(std::string(mechanism.name));
  }
  v1::UserRules& rules = *user.mutable_rules();
  rules.set_require_app_password(account.require_app_password);
  rules.set_send_only(account.send_only);
  rules.set_must_change_password(account.must_change_password);
  if (account.expires != absl::InfiniteFuture()) SetTime(account.expires, *rules.mutable_expires());
  FillAccess(account.access, *rules.mutable_access());
  for (const Username& alias : account.aliases) user.add_aliases(alias.str());
  user.mutable_senders()->Assign(account.senders.begin(), account.senders.end());
  user.set_app_passwords(static_cast<uint32_t>(account.app_passwords.size()));
}

void FillDomain(const Domain& domain, v1::Domain& message) {
  message.set_name(domain.name);
  message.set_enabled(domain.enabled);
  message.set_epoch(domain.epoch);
  message.set_require_app_password(domain.require_app_password);
  message.set_send_only(domain.send_only);
  FillAccess(domain.access, *message.mutable_access());
  message.mutable_attributes()->insert(domain.attributes.begin(), domain.attributes.end());
}

void FillDefaults(const Account& account, v1::User& user) {
  if (account.domain) FillDomain(*account.domain, *user.mutable_domain());
  for (const auto& [name, attribute] : AttributesOf(account)) {
    v1::EffectiveAttribute& one = *user.add_effective_attributes();
    one.set_name(name);
    one.set_value(attribute.value);
    one.set_from_domain(attribute.from_domain);
  }
}

void FillAccess(const Access& access, v1::Access& message) {
  for (const std::string& service : access.services) message.add_services(service);
  for (const std::string& network : access.networks) message.add_networks(network);
  for (const std::string& mechanism : access.mechanisms) message.add_mechanisms(mechanism);
}

void FillLastUse(const LastUse& last, v1::LastUse& message) {
  SetTime(last.time, *message.mutable_time());
  message.set_address(last.address);
  message.set_mechanism(last.mechanism);
}

void FillAppPassword(const AppPassword& one, const Uses& uses, v1::AppPassword& message) {
  message.set_id(one.id);
  message.set_label(one.label);
  SetTime(one.created, *message.mutable_created());
  if (one.expires != absl::InfiniteFuture()) SetTime(one.expires, *message.mutable_expires());
  FillAccess(one.access, *message.mutable_access());
  if (const auto last = uses.find(one.id); last != uses.end()) {
    FillLastUse(last->second, *message.mutable_last_use());
  }
}

Access AccessOf(const v1::Access& message) {
  return {ListOf(message.services()), ListOf(message.networks()), ListOf(message.mechanisms())};
}

RuleChanges RuleChangesOf(const v1::SetUserRulesRequest& request) {
  RuleChanges changes;
  if (request.has_require_app_password()) {
    changes.require_app_password = request.require_app_password();
  }
  if (request.has_send_only()) changes.send_only = request.send_only();
  if (request.has_must_change_password()) {
    changes.must_change_password = request.must_change_password();
  }
  if (request.has_expires()) changes.expires = TimeOf(request.expires());
  if (request.never_expires()) changes.expires = absl::InfiniteFuture();
  if (request.has_services()) changes.services = ListOf(request.services().names());
  if (request.has_networks()) changes.networks = ListOf(request.networks().names());
  if (request.has_mechanisms()) changes.mechanisms = ListOf(request.mechanisms().names());
  if (request.has_aliases()) changes.aliases = ListOf(request.aliases().names());
  if (request.has_senders()) changes.senders = ListOf(request.senders().names());
  changes.attributes = {request.attributes().begin(), request.attributes().end()};
  changes.attributes_to_take_away = ListOf(request.attributes_to_take_away());
  return changes;
}

DomainChanges DomainChangesOf(const v1::SetDomainRequest& request) {
  DomainChanges changes;
  if (request.has_enabled()) changes.enabled = request.enabled();
  if (request.has_require_app_password()) {
    changes.require_app_password = request.require_app_password();
  }
  if (request.has_send_only()) changes.send_only = request.send_only();
  if (request.has_services()) changes.services = ListOf(request.services().names());
  if (request.has_networks()) changes.networks = ListOf(request.networks().names());
  if (request.has_mechanisms()) changes.mechanisms = ListOf(request.mechanisms().names());
  changes.attributes = {request.attributes().begin(), request.attributes().end()};
  changes.attributes_to_take_away = ListOf(request.attributes_to_take_away());
  return changes;
}

}  // namespace sasld
