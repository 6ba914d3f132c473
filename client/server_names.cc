#include "client/server_names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace sasld {
namespace {

// More servers than anybody has; who has DNS in his hand shall not make us open thousands.
constexpr size_t kMaxAddressesOfName = 64;

struct HostAndPort {
  std::string host;
  std::string port;
};

// Nothing where there is nothing to look up: a Unix socket, an address.
std::optional<HostAndPort> NameIn(const std::string& target) {
  const size_t colon = target.rfind(':');
  if (target.rfind("unix:", 0) == 0 || colon == std::string::npos) return std::nullopt;
  std::string host = target.substr(0, colon);
  in_addr ignored;
  if (host.empty() || host.front() == '[' || inet_pton(AF_INET, host.c_str(), &ignored) == 1) {
    return std::nullopt;
  }
  return HostAndPort{std::move(host), target.substr(colon + 1)};
}

std::string TargetOf(const addrinfo& address) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(address.ai_addr, address.ai_addrlen, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  const bool bracketed = address.ai_family == AF_INET6;
  return (bracketed ? "[" + std::string(host) + "]" : std::string(host)) + ":" + port;
}

}  // namespace

struct ServerNames::State {
  // Sorted: DNS turns them round with each answer.
  using Found = std::map<std::string, std::set<std::string>>;  // by target with a name

  State(LookUp look_up_with, Callbacks those)
      : look_up(std::move(look_up_with)), callbacks(std::move(those)) {}

  void Run() ABSL_LOCKS_EXCLUDED(mutex);
  // False: there is one that has never been found.
  bool LookUpAll(const std::vector<ServerAddress>& asked) ABSL_LOCKS_EXCLUDED(mutex);
  void Tell() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  std::vector<ServerAddress> Known() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  const LookUp look_up;
  // Held over callbacks, so that none comes after it says stopping.
  absl::Mutex mutex;
  Callbacks callbacks ABSL_GUARDED_BY(mutex);
  std::vector<ServerAddress> servers ABSL_GUARDED_BY(mutex);
  std::vector<ServerAddress> told ABSL_GUARDED_BY(mutex);
  Found found ABSL_GUARDED_BY(mutex);
  std::set<std::string> failed ABSL_GUARDED_BY(mutex);
  bool running ABSL_GUARDED_BY(mutex) = false;
  bool changed ABSL_GUARDED_BY(mutex) = false;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
};

ServerNames::ServerNames(std::vector<ServerAddress> servers, LookUp look_up, Callbacks callbacks)
    : state_(std::make_shared<State>(std::move(look_up), std::move(callbacks))) {
  Set(std::move(servers));
}

ServerNames::~ServerNames() {
  absl::MutexLock lock(&state_->mutex);
  state_->stopping = true;
}

void ServerNames::Set(std::vector<ServerAddress> servers) {
  absl::MutexLock lock(&state_->mutex);
  const bool any_name = std::any_of(servers.begin(), servers.end(), [](const ServerAddress& one) {
    return NameIn(one.target).has_value();
  });
  state_->servers = std::move(servers);
  state_->changed = true;
  state_->Tell();
  if (!any_name || std::exchange(state_->running, true)) return;
  // Left alone: it may be inside the system's resolver when this ends, for as long as that takes.
  std::thread([state = state_] { state->Run(); }).detach();
}

void ServerNames::State::Run() {
  while (true) {
    std::vector<ServerAddress> asked;
    {
      absl::MutexLock lock(&mutex);
      if (stopping) return;
      changed = false;
      asked = servers;
    }
    const absl::Duration pause = LookUpAll(asked) ? kAgainAfter : kMissingAgainAfter;
    absl::MutexLock lock(&mutex);
    auto due = [this] {
      mutex.AssertHeld();
      return stopping || changed;
    };
    mutex.AwaitWithTimeout(absl::Condition(&due), pause);
  }
}

bool ServerNames::State::LookUpAll(const std::vector<ServerAddress>& asked) {
  bool all_known = true;
  for (const ServerAddress& server : asked) {
    const std::optional<HostAndPort> name = NameIn(server.target);
    if (!name) continue;
    absl::StatusOr<std::vector<std::string>> targets = look_up(name->host, name->port);
    absl::MutexLock lock(&mutex);
    if (stopping) return true;
    if (targets.ok()) {
      std::set<std::string>& kept = found[server.target] = {};
      for (std::string& target : *targets) {
        if (kept.size() < kMaxAddressesOfName) kept.insert(std::move(target));
      }
      failed.erase(server.target);
    } else if (failed.insert(server.target).second) {
      callbacks.on_failure(name->host, std::string(targets.status().message()));
    }
    all_known = all_known && found.count(server.target) > 0;
    Tell();
  }
  return all_known;
}

void ServerNames::State::Tell() {
  std::vector<ServerAddress> known = Known();
  if (known == told) return;
  told = known;
  callbacks.on_servers(std::move(known));
}

std::vector<ServerAddress> ServerNames::State::Known() const {
  std::vector<ServerAddress> known;
  for (const ServerAddress& server : servers) {
    const std::optional<HostAndPort> name = NameIn(server.target);
    if (!name) {
      known.push_back(server);
      continue;
    }
    const auto targets = found.find(server.target);
    if (targets == found.end()) continue;
    for (const std::string& target : targets->second) {
      known.push_back({target, server.credentials, name->host});
    }
  }
  return known;
}

absl::StatusOr<std::vector<std::string>> ServerNames::AskSystem(const std::string& host,
                                                                const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;  // none of a family that this machine cannot reach
  addrinfo* first = nullptr;
  int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &first);
  if (error != 0) {
    hints.ai_flags = 0;  // a machine that has loopback only
    error = getaddrinfo(host.c_str(), port.c_str(), &hints, &first);
  }
  if (error != 0) return absl::UnavailableError(gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(first, freeaddrinfo);
  std::vector<std::string> targets;
  for (const addrinfo* one = first; one; one = one->ai_next) {
    if (std::string target = TargetOf(*one); !target.empty()) targets.push_back(std::move(target));
  }
  if (targets.empty()) return absl::UnavailableError("it has no address");
  return targets;
}

}  // namespace sasld
