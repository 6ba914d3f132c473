// Slows down who guesses passwords, and nobody else: counts failures by address and by account, and
// remembers from where an account was logged in to. When it is asked is for exchange.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/auth/network.h"
#include "server/auth/recent_table.h"
#include "server/sasl/username.h"

namespace sasld {

// What the administrator allows. A count of failures leaks: so many at once are allowed, and then
// one each `window` / so many.
struct ThrottleRules {
  uint32_t peer_failures = 30;     // 0: no rule
  uint32_t account_failures = 20;  // of peers that are not known for the account; 0: no rule
  absl::Duration window = absl::Minutes(10);
  // A peer is known for an account so long after its last login to it.
  absl::Duration known_for = absl::Hours(30 * 24);
  // Addresses that many share, as that of a webmail host. Not counted as one peer, but for each
  // account by itself.
  std::vector<Network> exempt = Loopback();

  static std::vector<Network> Loopback();
  friend bool operator==(const ThrottleRules&, const ThrottleRules&) = default;
};

// Where a client is, as far as it cannot choose: its IPv4 address, or the /64 of its IPv6 address.
struct Origin {
  std::optional<Network> peer;  // nothing: no address is known
  bool shared = false;          // exempt

  // `remote_ip` may be any text; what is no address is not known.
  static Origin Of(const ThrottleRules& rules, std::string_view remote_ip);
};

// Thread-safe. Of this process only, in memory only: a restart begins anew, and so does another
// replica. Rules may differ from call to call; counts are kept. `now` may be behind that of
// other calls by as long as a step takes.
class Throttle {
 public:
  // Room in each of three tables: addresses, accounts, and accounts with their known peers. An
  // entry takes up to 400 bytes, and of known peers, of which most accounts have a few, 40 bytes
  // each.
  static constexpr size_t kMostEntries = size_t{1} << 16;
  // Beyond these the one that came least recently is a stranger again. So nobody who has an account
  // and many addresses can make others' be forgotten.
  static constexpr size_t kMostKnownPeers = 32;

  // Before any work for a client there.
  bool AdmitsPeer(const ThrottleRules& rules, const Origin& origin, absl::Time now) const;
  // Before any work for this account; the same whether there is one of this name.
  bool AdmitsAccount(const ThrottleRules& rules, const Origin& origin, const Username& account,
                     absl::Time now) const;

  // An exchange was refused as a wrong password is. `account`: null if none was named.
  void Failed(const ThrottleRules& rules, const Origin& origin, const Username* account,
              absl::Time now);
  // Somebody there proved to be the account's owner.
  void Succeeded(const Origin& origin, const Username& account, absl::Time now);

  // Entries in all tables.
  size_t size() const;

 private:
  struct Count {
    double failures = 0;
    absl::Time as_of = absl::InfinitePast();
  };
  struct KnownPeer {
    Network peer;
    absl::Time last_login;
  };
  // An account and, if it is a shared one, the address: failures there are counted apart, as they
  // are neither strangers' nor the owner's for sure.
  using AccountKey = std::pair<std::string, std::string>;

  static double Leaked(const Count& count, uint32_t limit, absl::Duration window, absl::Time now);
  static void Add(Count& count, uint32_t limit, absl::Duration window, absl::Time now);
  static AccountKey KeyOf(const Origin& origin, const Username& account);
  bool IsKnown(const ThrottleRules& rules, const Origin& origin, const Username& account,
               absl::Time now) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  RecentTable<Network, Count> peers_ ABSL_GUARDED_BY(mutex_){kMostEntries};
  RecentTable<AccountKey, Count> accounts_ ABSL_GUARDED_BY(mutex_){kMostEntries};
  // By account; of each, the one that came last is last.
  RecentTable<std::string, std::vector<KnownPeer>> known_ ABSL_GUARDED_BY(mutex_){kMostEntries};
};

}  // namespace sasld
