// Whether a mail server can use a Unix socket, and if not, why not and what to do: what
// `sasld-adapter check` says.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "client/adapter/socket_probe.h"
#include "client/adapter/socket_walk.h"

namespace sasld {

struct WorkingSocket {
  std::vector<std::string> mechanisms;  // in the greeting's order; none if there was to be none
};
using SocketVerdict = std::variant<WorkingSocket, SocketFault>;

// Connects, and explains what fails. Blocks as ProbeSocket, and fails as it.
absl::StatusOr<SocketVerdict> CheckSocket(const SocketProbe& probe);

// Why connect(2) has failed with `error` for `user`.
SocketFault ExplainNoConnection(const SocketPlace& place, const SocketUser& user, int error);

// What a whole greeting of Dovecot's auth protocol says to a Postfix.
SocketVerdict JudgeGreeting(std::string_view greeting);

}  // namespace sasld
