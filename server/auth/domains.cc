#include "server/auth/domains.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "server/auth/access.h"
#include "server/auth/attributes.h"

namespace sasld {
namespace {

// How often a change is tried that others overtake.
constexpr int kAttempts = 8;

// As DomainOf() yields it for a prepared name.
absl::StatusOr<std::string> PrepareDomain(std::string_view name) {
  const absl::StatusOr<Username> prepared = Username::Prepare(name);
  if (!prepared.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("name: ", std::string(prepared.status().message())));
  }
  if (prepared->str().find('@') == std::string::npos) return prepared->str();
  return absl::InvalidArgumentError(
      "name: has an @; a domain is what follows it in users' names, such as example.org");
}

absl::Status CheckDefaults(const DomainChanges& changes) {
  for (const auto& [name, value] : changes.attributes) {
    RETURN_IF_ERROR(CheckAttributeName(name));
    RETURN_IF_ERROR(CheckAttributeDefault(name, value));
  }
  for (const std::string& name : changes.attributes_to_take_away) {
    RETURN_IF_ERROR(CheckAttributeName(name));
  }
  return absl::OkStatus();
}

// `access`: the lists of `changes`, prepared.
absl::Status Apply(const DomainChanges& changes, const Access& access, Domain& domain) {
  domain.enabled = changes.enabled.value_or(domain.enabled);
  domain.require_app_password = changes.require_app_password.value_or(domain.require_app_password);
  domain.send_only = changes.send_only.value_or(domain.send_only);
  if (changes.services) domain.access.services = access.services;
  if (changes.networks) domain.access.networks = access.networks;
  if (changes.mechanisms) domain.access.mechanisms = access.mechanisms;
  return ChangeAttributes(changes.attributes_to_take_away, changes.attributes, domain.attributes);
}

// Whether somebody else was there between the reading and the writing.
bool Overtaken(const absl::Status& status) {
  return absl::IsAborted(status) || absl::IsAlreadyExists(status) || absl::IsNotFound(status);
}

}  // namespace

absl::StatusOr<Domain> Domains::Set(std::string_view name, const DomainChanges& changes) {
  ASSIGN_OR_RETURN(const std::string prepared, PrepareDomain(name));
  const std::vector<std::string> none;
  ASSIGN_OR_RETURN(const Access access,
                   PrepareAccess({changes.services.value_or(none), changes.networks.value_or(none),
                                  changes.mechanisms.value_or(none)}));
  RETURN_IF_ERROR(CheckDefaults(changes));
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    absl::StatusOr<Domain> domain = store_.FindDomain(prepared);
    if (absl::IsNotFound(domain.status())) domain = Domain{prepared};
    if (!domain.ok()) return domain.status();
    RETURN_IF_ERROR(Apply(changes, access, *domain));
    const absl::StatusOr<Epoch> epoch = store_.PutDomain(*domain);
    if (Overtaken(epoch.status())) continue;
    if (!epoch.ok()) return epoch.status();
    domain->epoch = *epoch;
    return domain;
  }
  return absl::UnavailableError("the domain is being changed by others; try again");
}

absl::StatusOr<Domain> Domains::Get(std::string_view name) const {
  ASSIGN_OR_RETURN(const std::string prepared, PrepareDomain(name));
  return store_.FindDomain(prepared);
}

absl::StatusOr<std::string> Domains::Remove(std::string_view name) {
  ASSIGN_OR_RETURN(std::string prepared, PrepareDomain(name));
  RETURN_IF_ERROR(store_.RemoveDomain(prepared));
  return prepared;
}

}  // namespace sasld
