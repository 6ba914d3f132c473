// The credential store: accounts by name. One narrow interface; each back end is a folder.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/sasl/scram_keys.h"
#include "server/sasl/username.h"

namespace sasld {

// Raised by each change to an account. Drawn from one counter of the store, so that no value is
// ever used twice, not even for a user who was deleted and made again. 0 is never an account's
// epoch.
using Epoch = uint64_t;

// Verifiers of one password. None of them yields the password.
struct Credential {
  // PHC text "$argon2id$v=19$m=…,t=…,p=…$salt$hash"; empty if there is none. Made with the key
  // file's pepper as Argon2's secret input.
  std::string argon2id;
  // Salt, iterations, StoredKey, ServerKey. `epoch` inside is the account's.
  std::optional<ScramKeys> scram_sha_256;
};

struct Account {
  Username name;
  bool enabled = true;
  Epoch epoch = 0;
  absl::Time created;           // whole seconds
  absl::Time password_changed;  // whole seconds
  Credential credential;
};

// A copy with its own secrets (Account is move-only, as its secrets are).
Account CloneAccount(const Account& account);

struct AccountQuery {
  std::string prefix;   // names that begin so; empty for all
  std::string after;    // names that sort after this one; empty from the start
  size_t limit = 1000;  // at most so many
};

// Thread-safe: any method from any thread. Reads may run beside a write.
//
// Errors common to all: Unavailable (cannot be read or written now: locked, disk full, i/o error),
// DataLoss (what was read makes no sense). A write that failed changed nothing. Texts name the file
// and never a user.
class Store {
 public:
  virtual ~Store() = default;

  // NotFound: no such account. Microseconds for local back ends.
  virtual absl::StatusOr<Account> Find(const Username& name) const = 0;

  // Adds `account`; its epoch is ignored and a new one drawn. Returns the new epoch. AlreadyExists.
  // When it returns, the account is on disk.
  virtual absl::StatusOr<Epoch> Create(const Account& account) = 0;

  // Writes `account` over the one of the same name whose epoch is still account.epoch, and returns
  // the new epoch. NotFound: no such account. Aborted: it was changed since it was read; read
  // again.
  virtual absl::StatusOr<Epoch> Update(const Account& account) = 0;

  // NotFound: no such account.
  virtual absl::Status Remove(const Username& name) = 0;

  // In byte order of name.
  virtual absl::StatusOr<std::vector<Account>> List(const AccountQuery& query) const = 0;

  virtual absl::StatusOr<uint64_t> Count() const = 0;
};

}  // namespace sasld
