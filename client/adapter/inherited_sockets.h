// Listening sockets that another process opened and keeps open while this one is replaced: whoever
// connects meanwhile waits in their queue and notices nothing.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/adapter/config.h"

namespace sasld {

struct InheritedSocket {
  int fd;            // non-blocking, close-on-exec
  std::string path;  // that it was bound to
};

// The path that a Unix socket was bound to; empty if it has none, or is no Unix socket.
std::string PathOfSocket(int fd);

// Those that systemd's socket activation passes (sd_listen_fds(3)); none without it. The caller
// owns them. To be called once, before there are threads: it takes the variables out of the
// environment. InvalidArgument: one of them is no listening stream socket with a path. Internal: it
// cannot be taken over.
absl::StatusOr<std::vector<InheritedSocket>> TakeInheritedSockets();

// InvalidArgument, naming it: one that no [[listen]] has the path of, or that another one has too.
absl::Status CheckInherited(const std::vector<InheritedSocket>& sockets,
                            const std::vector<ListenConfig>& listen);

}  // namespace sasld
