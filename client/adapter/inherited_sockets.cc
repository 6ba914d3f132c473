#include "client/adapter/inherited_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <set>
#include <utility>

#include "proto/common/status_macros.h"

namespace sasld {
namespace {

absl::Status NotUsable(int fd, std::string_view why) {
  std::string text = "the socket that systemd passes as descriptor " + std::to_string(fd);
  return absl::InvalidArgumentError(text.append(" ").append(why));
}

// The path of a listening Unix socket.
absl::StatusOr<std::string> PathOf(int fd) {
  if (sd_is_socket_unix(fd, SOCK_STREAM, /*listening=*/1, nullptr, 0) <= 0) {
    return NotUsable(fd, "is not one of ListenStream= with a path");
  }
  std::string path = PathOfSocket(fd);
  if (path.empty()) return NotUsable(fd, "has a name that is no path of a file");
  return path;
}

}  // namespace

std::string PathOfSocket(int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      address.sun_family != AF_UNIX) {
    return {};
  }
  // unix(7): a path of full length has no NUL at its end; an abstract name begins with one.
  const size_t room = size - std::min<size_t>(size, offsetof(sockaddr_un, sun_path));
  return std::string(address.sun_path, strnlen(address.sun_path, room));
}

absl::StatusOr<std::vector<InheritedSocket>> TakeInheritedSockets() {
  std::vector<InheritedSocket> sockets;
  const int count = sd_listen_fds(/*unset_environment=*/1);
  if (count < 0) {
    return absl::InternalError(std::string("sockets that systemd passes cannot be taken over: ") +
                               std::strerror(-count));
  }
  for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; ++fd) {
    ASSIGN_OR_RETURN(std::string path, PathOf(fd));
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
      return absl::InternalError(path + ": " + std::strerror(errno));
    }
    sockets.push_back({fd, std::move(path)});
  }
  return sockets;
}

absl::Status CheckInherited(const std::vector<InheritedSocket>& sockets,
                            const std::vector<ListenConfig>& listen) {
  std::set<std::string> seen;
  for (const InheritedSocket& socket : sockets) {
    const bool known =
        std::any_of(listen.begin(), listen.end(),
                    [&socket](const ListenConfig& one) { return one.socket.path == socket.path; });
    if (!known) {
      return absl::InvalidArgumentError(
          "'" + socket.path +
          "' was passed to listen on, and no [[listen]] has that path; add one, "
          "or take it out of the systemd unit (ListenStream= of sasld-adapter.socket)");
    }
    if (!seen.insert(socket.path).second) {
      return absl::InvalidArgumentError("'" + socket.path + "' was passed to listen on twice");
    }
  }
  return absl::OkStatus();
}

}  // namespace sasld
