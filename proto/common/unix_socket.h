// The care that a Unix socket path needs before and after bind(2): no live socket is taken over, a
// dead one is replaced, owner and mode are as configured whatever the umask.
#pragma once

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sasld {

// How a socket file is to look. `owner` and `group` are names or decimal ids, empty to leave them.
struct SocketFile {
  std::string path;
  mode_t mode = 0600;
  std::string owner;
  std::string group;
  friend bool operator==(const SocketFile&, const SocketFile&) = default;
};

// Makes way for bind(2) at `path`: removes a socket that nobody listens on.
// AlreadyExists: a live server listens there. FailedPrecondition: something else than a socket is
// there, or the folder is missing or not writable. InvalidArgument: the path is longer than
// sockaddr_un takes (107 bytes). Texts name the path and say what to do.
absl::Status ClearStaleSocket(const std::string& path);

// Gives the bound socket its owner, group and mode, in this order. NotFound: no such user or group.
// PermissionDenied: this process may not.
absl::Status ApplySocketFile(const SocketFile& file);

// "unix:/run/x.sock" to "/run/x.sock". InvalidArgument for anything else.
absl::StatusOr<std::string> UnixSocketPath(std::string_view address);

// A descriptor that is connected, the caller's, or -1 with errno. Not blocking: a full queue is
// told as EAGAIN.
int ConnectUnix(const std::string& path);

// What becomes of a live server at a path that is to be listened on.
enum class LiveServer { kStays, kLosesThePath };

// Listens at `file.path`, with errors as of the two above. The result is a non-blocking,
// close-on-exec descriptor that the caller owns. A dead socket there is replaced in one go, so that
// who tries meanwhile finds the old one (ECONNREFUSED) or the new one, and never none (ENOENT): for
// a moment the new one is at path + ".new", which stays its name for getsockname(2). It cannot be
// reached before its mode is set. With kLosesThePath a live one is replaced likewise: it keeps whom
// it has and who is in its queue, and nobody new reaches it.
absl::StatusOr<int> ListenUnix(const SocketFile& file, int backlog,
                               LiveServer live = LiveServer::kStays);

}  // namespace sasld
