#include "client/adapter/health_probe.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "client/adapter/check_socket.h"
#include "client/monotonic_time.h"
#include "proto/common/unix_socket.h"
#include "spdlog/fmt/fmt.h"

namespace sasld {
namespace {

// More than any greeting of ours.
constexpr size_t kMostBytes = size_t{64} * 1024;

// All that is said before the other end hangs up; nothing if it does not.
std::optional<std::string> ReadToEnd(int descriptor, absl::Time until) {
  std::string all;
  while (all.size() <= kMostBytes) {
    const absl::Duration left = until - MonotonicNow();
    if (left <= absl::ZeroDuration()) return std::nullopt;
    pollfd readable{descriptor, POLLIN, 0};
    const int ready = poll(&readable, 1, static_cast<int>(absl::ToInt64Milliseconds(left) + 1));
    if (ready == 0) return std::nullopt;
    std::array<char, 4096> bytes;
    const ssize_t count = recv(descriptor, bytes.data(), bytes.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) return all;
    all.append(bytes.data(), static_cast<size_t>(count));
  }
  return all;
}

}  // namespace

bool LetsIn(const ListenConfig& listen, const SocketUser& user) {
  return Admits(listen.access, Peer{0, user.uid, user.groups.at(0), user.groups});
}

std::optional<SocketFault> ProbeListener(const ListenConfig& listen, const SocketUser& us,
                                         absl::Time until) {
  const std::string& path = listen.socket.path;
  const int descriptor = ConnectUnix(path);
  if (descriptor < 0) return ExplainNoConnection({path, ""}, us, errno);
  const absl::Cleanup closer = [descriptor] { close(descriptor); };
  shutdown(descriptor, SHUT_WR);
  const std::optional<std::string> said = ReadToEnd(descriptor, until);
  if (!said) {
    return SocketFault{
        fmt::format("'{}' takes the connection, but nobody answers", path),
        "sasld-adapter hangs, or has max_connections of its [[listen]]: see its log"};
  }
  if (!LetsIn(listen, us)) return std::nullopt;
  if (said->find(listen.protocol->greeting_has) != std::string::npos) return std::nullopt;
  return SocketFault{
      fmt::format("'{}' does not greet as {} does", path, std::string(listen.protocol->name)),
      "was protocol, allow_users or allow_groups of its [[listen]] changed since sasld-adapter "
      "was started? Then restart it; else ss -xlp tells who listens there"};
}

}  // namespace sasld
