#include "server/auth/accounts.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "proto/common/status_macros.h"
#include "server/sasl/saslprep.h"

namespace sasld {
namespace {

constexpr size_t kSaltBytes = 16;
// How often a change is tried that others overtake.
constexpr int kAttempts = 8;
// Administrators wait in the same queue as logins, as one source.
constexpr std::string_view kLaneSource = "administration";

absl::Status About(std::string_view field, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(std::string(field), ": ", status.message()));
}

absl::StatusOr<Username> PrepareName(std::string_view name) {
  absl::StatusOr<Username> prepared = Username::Prepare(name);
  if (!prepared.ok()) return About("name", prepared.status());
  return prepared;
}

}  // namespace

Accounts::Accounts(Store& store, const PasswordHasher& hasher, Lane& lane, Entropy& entropy,
                   uint32_t scram_iterations)
    : store_(store),
      hasher_(hasher),
      lane_(lane),
      entropy_(entropy),
      scram_iterations_(scram_iterations) {}

absl::StatusOr<Credential> Accounts::Derive(std::string_view password) {
  absl::StatusOr<Secret> prepared = PreparePassword(password);
  if (!prepared.ok()) return About("password", prepared.status());

  absl::StatusOr<Credential> derived = absl::InternalError("not derived");
  absl::Notification finished;
  RETURN_IF_ERROR(lane_.Submit(kLaneSource, absl::InfiniteFuture(), [&](Lane::Turn turn) {
    if (turn == Lane::Turn::kTooLate) {
      derived = absl::UnavailableError("sasld is stopping");
    } else if (auto hash = hasher_.Hash(*prepared, entropy_.Bytes(kSaltBytes)); hash.ok()) {
      Credential credential;
      credential.argon2id = *std::move(hash);
      credential.scram_sha_256 = DeriveScramKeys(
          ScramHash::kSha256, *prepared, entropy_.Bytes(kScramSaltBytes), scram_iterations_);
      derived = std::move(credential);
    } else {
      derived = hash.status();
    }
    finished.Notify();
  }));
  finished.WaitForNotification();
  return derived;
}

template <typename Change>
absl::StatusOr<Account> Accounts::Modify(std::string_view name, Change change) {
  ASSIGN_OR_RETURN(const Username username, PrepareName(name));
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(Account account, store_.Find(username));
    change(account);
    absl::StatusOr<Epoch> epoch = store_.Update(account);
    if (absl::IsAborted(epoch.status()) && attempt < kAttempts) continue;
    if (absl::IsAborted(epoch.status())) {
      return absl::UnavailableError("the account is being changed by others; try again");
    }
    if (!epoch.ok()) return epoch.status();
    account.epoch = *epoch;
    return account;
  }
}

absl::StatusOr<Account> Accounts::Create(std::string_view name, std::string_view password,
                                         bool enabled, absl::Time now) {
  ASSIGN_OR_RETURN(Username username, PrepareName(name));
  // Before the hash is paid for. Create() itself decides.
  if (store_.Find(username).ok()) return absl::AlreadyExistsError("there is a user of that name");
  ASSIGN_OR_RETURN(Credential credential, Derive(password));
  Account account{std::move(username), enabled, 0, now, now, std::move(credential)};
  ASSIGN_OR_RETURN(account.epoch, store_.Create(account));
  return account;
}

absl::StatusOr<Account> Accounts::SetPassword(std::string_view name, std::string_view password,
                                              absl::Time now) {
  // An unknown name is told before the hash is paid for.
  RETURN_IF_ERROR(Get(name).status());
  ASSIGN_OR_RETURN(Credential credential, Derive(password));
  return Modify(name, [&credential, now](Account& account) {
    account.credential = {credential.argon2id, std::nullopt};
    if (credential.scram_sha_256) {
      const ScramKeys& keys = *credential.scram_sha_256;
      account.credential.scram_sha_256 = ScramKeys{
          keys.salt, keys.iterations, keys.stored_key.Clone(), keys.server_key.Clone(), 0};
    }
    account.password_changed = now;
  });
}

absl::StatusOr<Account> Accounts::SetEnabled(std::string_view name, bool enabled) {
  return Modify(name, [enabled](Account& account) { account.enabled = enabled; });
}

absl::StatusOr<Username> Accounts::Remove(std::string_view name) {
  ASSIGN_OR_RETURN(Username username, PrepareName(name));
  RETURN_IF_ERROR(store_.Remove(username));
  return username;
}

absl::StatusOr<Account> Accounts::Get(std::string_view name) const {
  ASSIGN_OR_RETURN(const Username username, PrepareName(name));
  return store_.Find(username);
}

}  // namespace sasld
