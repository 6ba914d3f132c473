#include "server/auth/accounts.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "server/sasl/saslprep.h"

namespace sasld {
namespace {

absl::Status About(std::string_view field, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(std::string(field), ": ", status.message()));
}

absl::StatusOr<Username> PrepareName(std::string_view name) {
  absl::StatusOr<Username> prepared = Username::Prepare(name);
  if (!prepared.ok()) return About("name", prepared.status());
  return prepared;
}

absl::Status Overtaken() {
  return absl::UnavailableError("the account is being changed by others; try again");
}

// Whether app passwords' keys that were made with `old` would lose their salt or count by `other`.
bool Strands(const Account& account, const std::optional<ScramVerifiers>& other) {
  const std::optional<ScramVerifiers>& old = account.credential.scram;
  if (account.app_passwords.empty() || !old) return false;
  return !other || other->salt != old->salt || other->iterations != old->iterations;
}

}  // namespace

Accounts::Accounts(Store& store, const Directory& directory, const Deriver& deriver, Lane& lane)
    : store_(store), directory_(directory), deriver_(deriver), lane_(lane) {}

absl::StatusOr<Credential> Accounts::Derive(const Username& name, std::string_view password,
                                            const ScramVerifiers* keep) {
  absl::StatusOr<Secret> prepared = PreparePassword(password);
  if (!prepared.ok()) return About("password", prepared.status());
  absl::StatusOr<Credential> derived = absl::InternalError("not derived");
  RETURN_IF_ERROR(lane_.Run(Lane::kAdministration, [&] {
    derived = deriver_.Derive(name, *prepared, keep);
    return derived.status();
  }));
  return derived;
}

absl::StatusOr<Account> Accounts::Modify(std::string_view name, Change change) {
  ASSIGN_OR_RETURN(const Username username, PrepareName(name));
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(Account account, directory_.Find(username));
    RETURN_IF_ERROR(change(account));
    // Whatever is written is sealed under the current key, so that a pass that changes keys leaves
    // it be.
    deriver_.hasher().CarryPepper(account.credential);
    absl::StatusOr<Epoch> epoch = store_.Update(account);
    if (absl::IsAborted(epoch.status()) && attempt < kAttempts) continue;
    if (absl::IsAborted(epoch.status())) return Overtaken();
    if (!epoch.ok()) return epoch.status();
    account.epoch = *epoch;
    return account;
  }
}

absl::StatusOr<Account> Accounts::Create(std::string_view name, std::string_view password,
                                         bool enabled, absl::Time now) {
  ASSIGN_OR_RETURN(const Username given, PrepareName(name));
  Username username = directory_.Complete(given);
  // Before the hash is paid for. Create() itself decides.
  if (store_.Find(username).ok()) return absl::AlreadyExistsError("there is a user of that name");
  ASSIGN_OR_RETURN(Credential credential, Derive(username, password, nullptr));
  Account account{std::move(username), enabled, 0, now, now, std::move(credential)};
  ASSIGN_OR_RETURN(account.epoch, store_.Create(account));
  return account;
}

absl::StatusOr<Account> Accounts::SetPassword(std::string_view name, std::string_view password,
                                              absl::Time now) {
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    // An unknown name is told before the hash is paid for.
    ASSIGN_OR_RETURN(const Account known, Get(name));
    // The app passwords' keys hang on salt and count, so they stay; else they are drawn anew.
    const ScramVerifiers* keep =
        !known.app_passwords.empty() && known.credential.scram ? &*known.credential.scram : nullptr;
    ASSIGN_OR_RETURN(const Credential credential, Derive(known.name, password, keep));
    bool overtaken = false;
    absl::StatusOr<Account> changed = Modify(name, [&](Account& account) -> absl::Status {
      overtaken = Strands(account, credential.scram);
      if (overtaken) return Overtaken();  // by the first app password
      account.credential = credential.Clone();
      account.password_changed = now;
      account.must_change_password = false;
      return absl::OkStatus();
    });
    if (!overtaken) return changed;
  }
  return Overtaken();
}

absl::StatusOr<Account> Accounts::SetEnabled(std::string_view name, bool enabled) {
  return Modify(name, [enabled](Account& account) {
    account.enabled = enabled;
    return absl::OkStatus();
  });
}

absl::StatusOr<Username> Accounts::Remove(std::string_view name) {
  ASSIGN_OR_RETURN(Username username, PrepareName(name));
  absl::Status removed = store_.Remove(username);
  if (absl::IsNotFound(removed)) {
    username = directory_.Complete(username);
    removed = store_.Remove(username);
  }
  RETURN_IF_ERROR(removed);
  return username;
}

absl::StatusOr<Account> Accounts::Get(std::string_view name) const {
  ASSIGN_OR_RETURN(const Username username, PrepareName(name));
  return directory_.Find(username);
}

}  // namespace sasld
