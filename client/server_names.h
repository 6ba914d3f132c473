// The addresses that servers' names stand for: each is a server of its own.
//
// gRPC would connect to one address of a name only. Names are looked up again now and then, on a
// thread of its own, as the system's resolver may take many seconds.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/server_link.h"

namespace sasld {

class ServerNames {
 public:
  static constexpr absl::Duration kAgainAfter = absl::Seconds(30);
  // While a name has never been found.
  static constexpr absl::Duration kMissingAgainAfter = absl::Seconds(1);

  // Targets such as "192.0.2.7:4711" and "[2001:db8::7]:4711" for a host and a port, in no order.
  // Unavailable: none; the text says why. Any thread.
  using LookUp = std::function<absl::StatusOr<std::vector<std::string>>(const std::string& host,
                                                                        const std::string& port)>;
  struct Callbacks {
    // All servers: those that need no look-up, and the addresses of names that are known. Within
    // the constructor and Set(), and later on the thread when they have changed.
    absl::AnyInvocable<void(std::vector<ServerAddress>)> on_servers;
    // A name could not be looked up; what was known of it is still used. On the thread, once until
    // it is found again.
    absl::AnyInvocable<void(std::string_view name, std::string_view why)> on_failure;
  };

  // `servers` in order of preference; targets with a host name are looked up.
  ServerNames(std::vector<ServerAddress> servers, LookUp look_up, Callbacks callbacks);
  // Waits for no look-up. No callback comes from here on.
  ~ServerNames();
  ServerNames(const ServerNames&) = delete;
  ServerNames& operator=(const ServerNames&) = delete;

  // Others instead. Not from within a callback.
  void Set(std::vector<ServerAddress> servers);

  // As the system does: nsswitch.conf, the hosts file, DNS.
  static absl::StatusOr<std::vector<std::string>> AskSystem(const std::string& host,
                                                            const std::string& port);

 private:
  struct State;

  std::shared_ptr<State> state_;  // the thread's too, which may outlive this
};

}  // namespace sasld
