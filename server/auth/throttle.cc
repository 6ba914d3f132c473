#include "server/auth/throttle.h"

#include <algorithm>

namespace sasld {
namespace {

// A customer is given a /64 at least, and may use each address in it.
constexpr int kIpv6PeerBits = 64;

}  // namespace

std::vector<Network> ThrottleRules::Loopback() {
  return {*Network::Parse("127.0.0.0/8"), *Network::Parse("::1/128")};
}

Origin Origin::Of(const ThrottleRules& rules, std::string_view remote_ip) {
  const std::optional<IpAddress> address = IpAddress::Parse(remote_ip);
  if (!address) return {};
  const bool shared =
      std::any_of(rules.exempt.begin(), rules.exempt.end(),
                  [&address](const Network& network) { return network.Contains(*address); });
  return {Network::Around(*address, address->is_ipv4() ? address->bits() : kIpv6PeerBits), shared};
}

double Throttle::Leaked(const Count& count, uint32_t limit, absl::Duration window, absl::Time now) {
  // No step is that late: the clock was set back, and that must not stop the leak.
  if (count.as_of - now >= window) return 0;
  const double windows = std::max(0.0, absl::FDivDuration(now - count.as_of, window));
  return std::max(0.0, count.failures - windows * limit);
}

void Throttle::Add(Count& count, uint32_t limit, absl::Duration window, absl::Time now) {
  const double left = Leaked(count, limit, window, now);
  // Of steps that ended in another order than they began, the latest counts: time leaks once.
  count.as_of = left > 0 ? std::max(count.as_of, now) : now;
  count.failures = left + 1;
}

Throttle::AccountKey Throttle::KeyOf(const Origin& origin, const Username& account) {
  return {account.str(), origin.shared ? origin.peer->str() : std::string()};
}

bool Throttle::IsKnown(const ThrottleRules& rules, const Origin& origin, const Username& account,
                       absl::Time now) const {
  if (!origin.peer || origin.shared) return false;
  const std::vector<KnownPeer>* peers = known_.Find(account.str());
  return peers && std::any_of(peers->begin(), peers->end(), [&](const KnownPeer& known) {
           return known.peer == *origin.peer && now - known.last_login < rules.known_for;
         });
}

bool Throttle::AdmitsPeer(const ThrottleRules& rules, const Origin& origin, absl::Time now) const {
  if (rules.peer_failures == 0 || !origin.peer || origin.shared) return true;
  absl::ReaderMutexLock lock(&mutex_);
  const Count* count = peers_.Find(*origin.peer);
  return !count ||
         Leaked(*count, rules.peer_failures, rules.window, now) <= rules.peer_failures - 1;
}

bool Throttle::AdmitsAccount(const ThrottleRules& rules, const Origin& origin,
                             const Username& account, absl::Time now) const {
  if (rules.account_failures == 0) return true;
  absl::ReaderMutexLock lock(&mutex_);
  const Count* count = accounts_.Find(KeyOf(origin, account));
  return !count ||
         Leaked(*count, rules.account_failures, rules.window, now) <= rules.account_failures - 1 ||
         IsKnown(rules, origin, account, now);
}

void Throttle::Failed(const ThrottleRules& rules, const Origin& origin, const Username* account,
                      absl::Time now) {
  absl::MutexLock lock(&mutex_);
  if (rules.peer_failures != 0 && origin.peer && !origin.shared) {
    Add(peers_.Touch(*origin.peer), rules.peer_failures, rules.window, now);
  }
  if (rules.account_failures != 0 && account && !IsKnown(rules, origin, *account, now)) {
    Add(accounts_.Touch(KeyOf(origin, *account)), rules.account_failures, rules.window, now);
  }
}

void Throttle::Succeeded(const Origin& origin, const Username& account, absl::Time now) {
  if (!origin.peer || origin.shared) return;
  absl::MutexLock lock(&mutex_);
  std::vector<KnownPeer>& peers = known_.Touch(account.str());
  std::erase_if(peers, [&origin](const KnownPeer& known) { return known.peer == *origin.peer; });
  if (peers.size() >= kMostKnownPeers) peers.erase(peers.begin());
  peers.push_back({*origin.peer, now});
}

size_t Throttle::size() const {
  absl::ReaderMutexLock lock(&mutex_);
  return peers_.size() + accounts_.size() + known_.size();
}

}  // namespace sasld
