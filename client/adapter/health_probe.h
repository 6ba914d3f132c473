// Whether one of the adapter's sockets is served: what `sasld-adapter health` looks at.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "client/adapter/config.h"
#include "client/adapter/peer_access.h"
#include "client/adapter/socket_walk.h"

namespace sasld {

// Connects, says at once that nothing will follow, and reads to the end: the adapter ends such a
// connection behind its greeting, so that the end shows that it accepted and goes round, in
// protocols too in which the client speaks first. Where `us` is not let in (allow_users), the
// hanging up shows the same. What is wrong; nothing if nothing is. Blocks until `until`
// (MonotonicNow) at most.
std::optional<SocketFault> ProbeListener(const ListenConfig& listen, const SocketUser& us,
                                         absl::Time until);

// Whether the rule of `listen` lets it in.
bool LetsIn(const ListenConfig& listen, const SocketUser& user);

}  // namespace sasld
