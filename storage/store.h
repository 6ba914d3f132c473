// The credential store: accounts by name. One narrow interface; each back end is a folder.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/sasl/scram_keys.h"
#include "server/sasl/username.h"

namespace sasld {

// Raised by each change to an account or a domain. Drawn from one counter of the store, so that no
// value is ever used twice, not even for a user who was deleted and made again. 0 is nobody's
// epoch.
using Epoch = uint64_t;

// RFC 2831's H(username:realm:passwd), with the account's name as username.
struct DigestMd5Verifier {
  std::string realm;
  Secret ha1;  // 16 bytes
};

// Verifiers of one password. None of them yields the password.
struct Credential {
  // PHC text "$argon2id$v=19$m=…,t=…,p=…$salt$hash"; empty if there is none. Made with a secret
  // input: that of the key `pepper_id`, or `pepper` itself once that key may be gone.
  std::string argon2id;
  uint32_t pepper_id = 0;
  Secret pepper;
  // A hash that another system made, in its own notation; empty once argon2id took its place.
  std::string imported;
  // For the hashes that were switched on when the password was set. The salt and the count are the
  // app passwords' too, so there may be no keys.
  std::optional<ScramVerifiers> scram;
  // Password-equivalents, kept only if CRAM-MD5 or DIGEST-MD5 was switched on; empty or nothing
  // else. Inner and outer state of HMAC-MD5 keyed with the password, 16 bytes each (RFC 2195).
  Secret cram_md5;
  std::optional<DigestMd5Verifier> digest_md5;

  Credential Clone() const;
};

// Where from and for what somebody may log in. An empty list sets no limit.
struct Access {
  std::vector<std::string> services;    // "smtp", "imap", "pop3", "sieve", …
  std::vector<std::string> networks;    // "192.0.2.0/24", "2001:db8::/32"
  std::vector<std::string> mechanisms;  // as registered: "SCRAM-SHA-256"

  friend bool operator==(const Access&, const Access&) = default;
};

// A generated password for one device.
struct AppPassword {
  std::string id;     // unique within the account; names it to people
  std::string label;  // what its owner calls it
  Secret lookup;      // HMAC-SHA-256 of the password under the account's app_password_key
  std::map<Hash, ScramKeyPair> scram;  // with the salt and count of the account's credential
  Access access;
  absl::Time created;                           // whole seconds
  absl::Time expires = absl::InfiniteFuture();  // whole seconds

  AppPassword Clone() const;
};

// What holds for the accounts of a domain by default. A domain needs no accounts, and accounts need
// no domain.
struct Domain {
  std::string name;  // as DomainOf() yields it; never empty
  Epoch epoch = 0;   // 0: was never stored
  bool enabled = true;
  bool require_app_password = false;
  bool send_only = false;
  Access access = {};
  std::map<std::string, std::string> attributes = {};

  friend bool operator==(const Domain&, const Domain&) = default;
};

struct Account {
  Username name;
  bool enabled = true;
  Epoch epoch = 0;
  absl::Time created;           // whole seconds
  absl::Time password_changed;  // whole seconds
  Credential credential;

  std::vector<AppPassword> app_passwords = {};
  Secret app_password_key = {};       // 32 random bytes, drawn with the first app password
  bool require_app_password = false;  // the account's own password lets nobody in
  bool send_only = false;             // may submit mail, and not read it
  bool must_change_password = false;
  absl::Time expires = absl::InfiniteFuture();  // whole seconds
  Access access = {};
  std::vector<Username> aliases = {};  // other names to log in by
  // Addresses it may send as: "ann@example.org", "@example.org".
  std::vector<std::string> senders = {};
  std::map<std::string, std::string> attributes = {};  // for userdb answers: "uid", "home", …

  // The domain of its name, as it was when the account was read; null: none is stored. A write
  // ignores it.
  std::shared_ptr<const Domain> domain = nullptr;
};

// Whether it has the app password of that id; "" is its own password.
bool HasCredential(const Account& account, std::string_view app_password);

// When somebody got in last by a credential of an account, from where and how. No part of the
// account: noting it changes no right, so it raises no epoch.
struct LastUse {
  absl::Time time;        // whole seconds
  std::string address;    // of the client; empty if none is known
  std::string mechanism;  // as registered
};

struct Use {
  Username name;             // the account's own
  std::string app_password;  // its id; empty: the account's own password
  LastUse last;
};

// A copy with its own secrets (Account is move-only, as its secrets are), and of the same domain.
Account CloneAccount(const Account& account);

// What follows the last @ of a name; empty where there is none.
std::string_view DomainOf(const Username& name);

struct AccountQuery {
  std::string prefix;       // names that begin so; empty for all
  std::string after;        // names that sort after this one; empty from the start
  size_t limit = 1000;      // at most so many
  std::string domain = {};  // names of this domain (DomainOf); empty for all
};

// What becomes of an account that is to be created while there is one of its name.
enum class IfThere { kRefuse, kReplace };

struct Written {
  Epoch epoch = 0;
  bool replaced = false;
};

struct BackupProgress {
  bool checking = false;  // what was copied; else still copying
  uint64_t done = 0;      // pages copied, or accounts read again
  uint64_t total = 0;     // 0: cannot be told just now
};
// Is told now and then how far it is; false stops it.
using BackupWatch = std::function<bool(const BackupProgress&)>;

// Thread-safe: any method from any thread. Reads may run beside a write.
//
// Errors common to all: Unavailable (cannot be read or written now: locked, disk full, i/o error),
// DataLoss (what was read makes no sense, or was changed by another than us). A write that failed
// changed nothing. Texts name the file and never a user.
class Store {
 public:
  virtual ~Store() = default;

  // The account of that name or alias; its own name, and the domain of that, are in it. NotFound:
  // no such account.
  // Microseconds for local back ends.
  virtual absl::StatusOr<Account> Find(const Username& name) const = 0;

  // Adds `account`; its epoch is ignored and a new one drawn. Returns the new epoch. AlreadyExists:
  // its name, or one of its aliases, is another's name or alias. When it returns, the account is on
  // disk.
  virtual absl::StatusOr<Epoch> Create(const Account& account) = 0;

  // Adds many accounts in one transaction, which costs about as much as adding one does; for
  // imports, some thousand at a time. Each is as Create has it, or takes the place of the one of
  // its name, as `if_there` says. What is returned tells of each, in their order: AlreadyExists,
  // or Internal (it has a shape that could not be read back), and then this one was left out and
  // the others were not. An error of the whole: none of them was written.
  virtual absl::StatusOr<std::vector<absl::StatusOr<Written>>> CreateMany(
      std::span<const Account> accounts, IfThere if_there) = 0;

  // Writes `account` over the one of the same name whose epoch is still account.epoch, and returns
  // the new epoch. NotFound: no such account. Aborted: it was changed since it was read; read
  // again. AlreadyExists: one of its aliases is another's name or alias.
  virtual absl::StatusOr<Epoch> Update(const Account& account) = 0;

  // By its name, not by an alias. NotFound: no such account.
  virtual absl::Status Remove(const Username& name) = 0;

  // In byte order of name.
  virtual absl::StatusOr<std::vector<Account>> List(const AccountQuery& query) const = 0;

  // Costs no more the more there are.
  virtual absl::StatusOr<uint64_t> Count() const = 0;

  // Notes these, in one transaction; of two of one credential the later time counts. Skips those of
  // accounts and app passwords that are not there (any more).
  virtual absl::Status NoteUses(const std::vector<Use>& uses) = 0;

  // What was noted of the account of that name (not an alias), by the app password's id; "" is its
  // own password. They go with the account, and with the app password. Empty for an unknown name.
  virtual absl::StatusOr<std::map<std::string, LastUse>> UsesOf(const Username& name) const = 0;

  // The domain of that name. NotFound: none is stored.
  virtual absl::StatusOr<Domain> FindDomain(std::string_view name) const = 0;

  // Writes `domain` over the one of the same name whose epoch is still domain.epoch; with epoch 0,
  // as a new one. Returns the new epoch. When it returns, any later read of an account of it has it
  // so. AlreadyExists: it has epoch 0, and there is one. NotFound: there is none to write over.
  // Aborted: it was changed since it was read; read again.
  virtual absl::StatusOr<Epoch> PutDomain(const Domain& domain) = 0;

  // Leaves its accounts alone. NotFound: none is stored.
  virtual absl::Status RemoveDomain(std::string_view name) = 0;

  // At most `limit`, in byte order of name, those after the name `after`; empty: from the start.
  virtual absl::StatusOr<std::vector<Domain>> ListDomains(std::string_view after,
                                                          size_t limit) const = 0;

  // How many records, of accounts and domains, are sealed under each key, by the key's id. Reads
  // all of them: seconds for millions. Nothing for a store that seals none.
  virtual absl::StatusOr<std::map<uint32_t, uint64_t>> CountByKey() const = 0;

  // Looks at the next `limit` accounts after the name `after`, and seals those anew, in one
  // transaction, that are not sealed under the current key, or that `amend` says it has changed;
  // epochs stay. Accounts that cannot be read are left as they are. Others may write meanwhile.
  // With `after` empty it begins with all domains, likewise. Returns the last name that it looked
  // at; empty: it came to the end.
  using Amend = std::function<bool(Account&)>;
  virtual absl::StatusOr<std::string> Reseal(const std::string& after, size_t limit,
                                             const Amend& amend) = 0;

  // Writes a copy of the store as it is at one moment to the new file `path`, and reads all of it
  // again, while others read and write: a write waits some milliseconds at most. Returns how many
  // accounts the copy has. InvalidArgument: the path is not absolute. AlreadyExists: there is such
  // a file. FailedPrecondition: this store has no backups. ResourceExhausted: another one is under
  // way. Cancelled: `watch` said so. Where it fails there is no file.
  virtual absl::StatusOr<uint64_t> BackUp(const std::string& path, const BackupWatch& watch) = 0;

  // No record is ever to be sealed under that key again. FailedPrecondition: some still are.
  virtual absl::Status ForgetKey(uint32_t id) = 0;
};

}  // namespace sasld
