// Users that another system, or an export of ours, tells of.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/auth/derivation.h"
#include "server/auth/lane.h"
#include "server/sasl/secret.h"
#include "storage/store.h"

namespace sasld {

struct ImportedUser {
  // As it is to be, but for what `passwords` say. Its name is prepared.
  Account account;
  // Notations (imported_password.h) of one and the same password, at most one of each kind.
  std::vector<Secret> passwords;
  // Of a DIGEST-MD5 among them; empty: the one that is configured.
  std::string digest_md5_realm;
};

enum class OnExisting { kRefuse, kSkip, kReplace };

struct ImportResult {
  enum class Outcome { kAdded, kReplaced, kSkipped, kRefused };
  Outcome outcome = Outcome::kRefused;
  std::string text;  // why it was refused, for who wrote the source; never a password
};

// Makes services, networks and mechanisms what is stored of them (access.h), and tells whether all
// of `account` is of a kind that we could have made: counts, hashes, sizes. InvalidArgument: the
// text names the part and the rule.
absl::Status PrepareImportedAccount(Account& account);

// Thread-safe. What it is given must outlive it.
class UserImport {
 public:
  UserImport(Store& store, const Deriver& deriver, Lane& lane)
      : store_(store), deriver_(deriver), lane_(lane) {}

  // Adds all that can be, in one transaction; what was told in plaintext is hashed before, which
  // takes its time. One result for each, in their order. `dry_run`: tells what would be, and writes
  // nothing. Unavailable, ResourceExhausted: nothing was written.
  absl::StatusOr<std::vector<ImportResult>> Import(std::span<ImportedUser> users,
                                                   OnExisting on_existing, bool dry_run,
                                                   absl::Time now);

 private:
  // Those of `users` that were told in plaintext, each with its place.
  struct Plaintext;
  absl::Status Derive(std::span<ImportedUser> users, std::vector<Plaintext> plaintexts);
  absl::StatusOr<std::vector<ImportResult>> WouldBe(std::span<const ImportedUser> users,
                                                    OnExisting on_existing,
                                                    std::vector<ImportResult> results) const;

  Store& store_;
  const Deriver& deriver_;
  Lane& lane_;
};

}  // namespace sasld
