#include "client/server_pool.h"

#include <algorithm>
#include <utility>

namespace sasld {
namespace {

std::pair<bool, size_t> Cost(const PooledServer& server) {
  return {server.link->silent(), server.link->unanswered() + server.queue.size()};
}

}  // namespace

std::vector<std::unique_ptr<ServerLink>> ServerPool::Replace(std::vector<ServerAddress> addresses) {
  std::vector<PooledServer> servers;
  for (ServerAddress& address : addresses) {
    auto same = std::find_if(servers_.begin(), servers_.end(), [&address](const PooledServer& s) {
      return s.link && s.link->address() == address;
    });
    if (same != servers_.end()) {
      servers.push_back(std::move(*same));
    } else {
      servers.push_back({std::make_unique<ServerLink>(std::move(address), queue_), {}});
    }
  }
  std::vector<std::unique_ptr<ServerLink>> retired;
  for (PooledServer& server : servers_) {
    if (!server.link) continue;  // it stays
    server.link->Retire();
    retired.push_back(std::move(server.link));
  }
  servers_ = std::move(servers);
  return retired;
}

PooledServer* ServerPool::Pick(const ServerLink* except) {
  PooledServer* best = nullptr;
  for (size_t i = 0; i < servers_.size(); ++i) {
    PooledServer& server = servers_[(turn_ + i) % servers_.size()];
    if (!server.link->connected() || server.link.get() == except) continue;
    if (!best || Cost(server) < Cost(*best)) best = &server;
  }
  if (best) turn_ = static_cast<size_t>(best - servers_.data()) + 1;
  return best;
}

PooledServer* ServerPool::Another(const ServerLink* asked) {
  PooledServer* other = Pick(asked);
  return other && !other->link->silent() ? other : nullptr;
}

PooledServer* ServerPool::NextAfter(const PooledServer& refuser) {
  size_t from = static_cast<size_t>(&refuser - servers_.data());
  PooledServer* silent = nullptr;
  for (size_t i = 1; i < servers_.size(); ++i) {
    PooledServer& other = servers_[(from + i) % servers_.size()];
    if (!other.link->connected()) continue;
    if (!other.link->silent()) return &other;
    if (!silent) silent = &other;
  }
  return silent;
}

PooledServer* ServerPool::FirstConnected() {
  for (PooledServer& server : servers_) {
    if (server.link->connected()) return &server;
  }
  return nullptr;
}

PooledServer* ServerPool::Find(const ServerLink* link) {
  for (PooledServer& server : servers_) {
    if (server.link.get() == link) return &server;
  }
  return nullptr;
}

size_t ServerPool::connected() const {
  return static_cast<size_t>(
      std::count_if(servers_.begin(), servers_.end(),
                    [](const PooledServer& server) { return server.link->connected(); }));
}

bool ServerPool::idle() const {
  return std::all_of(servers_.begin(), servers_.end(),
                     [](const PooledServer& server) { return server.link->idle(); });
}

}  // namespace sasld
