// What an administrator does to accounts. The one place where a password becomes verifiers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/auth/derivation.h"
#include "server/auth/directory.h"
#include "server/auth/lane.h"
#include "storage/store.h"

namespace sasld {

struct NewAppPassword {
  std::string label;  // what its owner calls it: 1 to 100 bytes
  Access access;
  absl::Time expires = absl::InfiniteFuture();
};
struct AddedAppPassword {
  Account account;
  std::string id;
  Secret text;  // as it is to be shown, this once
};

// What is there is changed; the rest stays as it is.
struct RuleChanges {
  std::optional<bool> require_app_password = std::nullopt;
  std::optional<bool> send_only = std::nullopt;
  std::optional<bool> must_change_password = std::nullopt;
  std::optional<absl::Time> expires = std::nullopt;
  std::optional<std::vector<std::string>> services = std::nullopt;
  std::optional<std::vector<std::string>> networks = std::nullopt;
  std::optional<std::vector<std::string>> mechanisms = std::nullopt;
  std::optional<std::vector<std::string>> aliases = std::nullopt;
  std::optional<std::vector<std::string>> senders = std::nullopt;
  std::map<std::string, std::string> attributes = {};
  std::vector<std::string> attributes_to_take_away = {};  // those that there are
};

// Thread-safe; setting a password blocks for its hashing, on the lane. What it is given must
// outlive it.
//
// Names may be aliases, but for Create and Remove. Those without a domain are looked for as they
// are and then in the default realm; new ones are made in it.
//
// Errors common to all: InvalidArgument (the text names the field, such as "password", and the
// rule), NotFound, Unavailable (nothing was changed), ResourceExhausted (the lane is full).
class Accounts {
 public:
  // The store is the one that the directory looks into.
  Accounts(Store& store, const Directory& directory, const Deriver& deriver, Lane& lane);

  // AlreadyExists: there is one of that name.
  absl::StatusOr<Account> Create(std::string_view name, std::string_view password, bool enabled,
                                 absl::Time now);
  // Ends must_change_password too.
  absl::StatusOr<Account> SetPassword(std::string_view name, std::string_view password,
                                      absl::Time now);
  // AlreadyExists: an alias is another's name or alias. FailedPrecondition: it would have more than
  // kMostAttributes.
  absl::StatusOr<Account> SetRules(std::string_view name, const RuleChanges& changes);
  // Generates one. FailedPrecondition: the account has kMostAppPasswords.
  absl::StatusOr<AddedAppPassword> AddAppPassword(std::string_view name,
                                                  const NewAppPassword& wanted, absl::Time now);
  // It lets nobody in from the moment this returns. NotFound also: no app password of this id.
  absl::StatusOr<Account> RevokeAppPassword(std::string_view name, std::string_view id);
  absl::StatusOr<Account> SetEnabled(std::string_view name, bool enabled);
  // The prepared name of whom it removed.
  absl::StatusOr<Username> Remove(std::string_view name);
  absl::StatusOr<Account> Get(std::string_view name) const;

  const PasswordHasher& hasher() const { return deriver_.hasher(); }

 private:
  // How often a change is tried that others overtake.
  static constexpr int kAttempts = 8;

  // With the salt and the count of `keep`, if it is not null.
  absl::StatusOr<Credential> Derive(const Username& name, std::string_view password,
                                    const ScramVerifiers* keep);
  // Reads, changes, writes; again if somebody else wrote in between. Nothing is written if `change`
  // fails.
  using Change = absl::FunctionRef<absl::Status(Account&)>;
  absl::StatusOr<Account> Modify(std::string_view name, Change change);

  Store& store_;
  const Directory& directory_;
  const Deriver& deriver_;
  Lane& lane_;
};

}  // namespace sasld
