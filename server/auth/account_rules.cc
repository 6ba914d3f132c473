// What Accounts does with rules and app passwords.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "server/auth/access.h"
#include "server/auth/accounts.h"
#include "server/auth/app_passwords.h"
#include "server/auth/attributes.h"
#include "server/auth/senders.h"

namespace sasld {
namespace {

constexpr size_t kMaxLabelBytes = 100;
constexpr size_t kMostAliases = 64;

absl::Status CheckLabel(std::string_view label) {
  if (label.empty()) return absl::InvalidArgumentError("label: is empty");
  if (label.size() > kMaxLabelBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("label: longer than ", kMaxLabelBytes, " bytes"));
  }
  const bool printable = std::none_of(label.begin(), label.end(),
                                      [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  return printable ? absl::OkStatus()
                   : absl::InvalidArgumentError("label: has a control character");
}

absl::StatusOr<std::vector<Username>> PrepareAliases(const Directory& directory,
                                                     const std::vector<std::string>& names) {
  if (names.size() > kMostAliases) {
    return absl::InvalidArgumentError(
        absl::StrCat("aliases: more than ", kMostAliases, " of them"));
  }
  std::vector<Username> aliases;
  for (const std::string& name : names) {
    absl::StatusOr<Username> alias = Username::Prepare(name);
    if (!alias.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("aliases: ", alias.status().message()));
    }
    Username completed = directory.Complete(*alias);
    if (std::find(aliases.begin(), aliases.end(), completed) == aliases.end()) {
      aliases.push_back(std::move(completed));
    }
  }
  return aliases;
}

// Gets `account` ready for one more app password, with the keys of `made`. Aborted: another
// password drew another salt meanwhile. FailedPrecondition: it has too many.
absl::Status MakeRoomFor(const ScramVerifiers& made, Account& account) {
  if (account.app_passwords.size() >= kMostAppPasswords) {
    return absl::FailedPreconditionError(
        absl::StrCat("has ", kMostAppPasswords, " app passwords already; revoke one first"));
  }
  std::optional<ScramVerifiers>& scram = account.credential.scram;
  if (scram && (scram->salt != made.salt || scram->iterations != made.iterations)) {
    return absl::AbortedError("the password was changed meanwhile");
  }
  if (!scram && !made.keys.empty()) scram = ScramVerifiers{made.salt, made.iterations, {}};
  return absl::OkStatus();
}

template <typename Value>
void Replace(Value& value, const std::optional<Value>& wanted) {
  if (wanted) value = *wanted;
}

}  // namespace

absl::StatusOr<Account> Accounts::SetRules(std::string_view name, const RuleChanges& changes) {
  const std::vector<std::string> none;
  ASSIGN_OR_RETURN(const Access access,
                   PrepareAccess({changes.services.value_or(none), changes.networks.value_or(none),
                                  changes.mechanisms.value_or(none)}));
  ASSIGN_OR_RETURN(const std::vector<Username> aliases,
                   PrepareAliases(directory_, changes.aliases.value_or(none)));
  ASSIGN_OR_RETURN(const std::vector<std::string> senders,
                   PrepareSenders(changes.senders.value_or(none)));
  RETURN_IF_ERROR(CheckAttributes(changes.attributes));
  return Modify(name, [&](Account& account) {
    Replace(account.require_app_password, changes.require_app_password);
    Replace(account.send_only, changes.send_only);
    Replace(account.must_change_password, changes.must_change_password);
    Replace(account.expires, changes.expires);
    if (changes.services) account.access.services = access.services;
    if (changes.networks) account.access.networks = access.networks;
    if (changes.mechanisms) account.access.mechanisms = access.mechanisms;
    if (changes.aliases) account.aliases = aliases;
    if (changes.senders) account.senders = senders;
    return ChangeAttributes(changes.attributes_to_take_away, changes.attributes,
                            account.attributes);
  });
}

absl::StatusOr<AddedAppPassword> Accounts::AddAppPassword(std::string_view name,
                                                          const NewAppPassword& wanted,
                                                          absl::Time now) {
  RETURN_IF_ERROR(CheckLabel(wanted.label));
  ASSIGN_OR_RETURN(const Access access, PrepareAccess(wanted.access));
  if (wanted.expires <= now) return absl::InvalidArgumentError("expires: is over already");
  Entropy& entropy = deriver_.entropy();
  const Secret text = GenerateAppPassword(entropy);
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    ASSIGN_OR_RETURN(const Account known, Get(name));
    const std::optional<ScramVerifiers>& scram = known.credential.scram;
    ScramVerifiers made;
    RETURN_IF_ERROR(lane_.Run(Lane::kAdministration, [&] {
      made = deriver_.DeriveScram(text, scram ? &*scram : nullptr);
      return absl::OkStatus();
    }));
    std::string id;
    absl::StatusOr<Account> changed = Modify(name, [&](Account& account) -> absl::Status {
      RETURN_IF_ERROR(MakeRoomFor(made, account));
      if (account.app_password_key.empty()) {
        account.app_password_key = entropy.SecretBytes(kAppPasswordKeyBytes);
      }
      id = GenerateAppPasswordId(account, entropy);
      Secret lookup = AppPasswordLookup(account.app_password_key, text);
      account.app_passwords.push_back(
          {id, wanted.label, std::move(lookup), made.Clone().keys, access, now, wanted.expires});
      return absl::OkStatus();
    });
    if (absl::IsAborted(changed.status())) continue;
    if (!changed.ok()) return changed.status();
    return AddedAppPassword{*std::move(changed), id, text.Clone()};
  }
  return absl::UnavailableError("the account is being changed by others; try again");
}

absl::StatusOr<Account> Accounts::RevokeAppPassword(std::string_view name, std::string_view id) {
  return Modify(name, [id](Account& account) -> absl::Status {
    const size_t revoked =
        std::erase_if(account.app_passwords, [id](const AppPassword& one) { return one.id == id; });
    return revoked == 1 ? absl::OkStatus() : absl::NotFoundError("no app password of this id");
  });
}

}  // namespace sasld
