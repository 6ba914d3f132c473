#include "client/adapter/check_socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "client/adapter/tab_fields.h"
#include "proto/common/status_macros.h"
#include "spdlog/fmt/fmt.h"

namespace sasld {
namespace {

using Got = ProbeResult::Got;

constexpr size_t kMaxPathBytes = 107;  // of sockaddr_un, without its closing NUL
constexpr char kWhoListens[] = "Is it another program's? ss -xlp tells who listens where.";

// The beginning of what somebody said, fit for a terminal.
std::string Shown(std::string_view bytes) {
  constexpr size_t kMost = 40;
  std::string shown(bytes.substr(0, std::min(bytes.find('\n'), kMost)));
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '?';
  }
  return shown;
}

std::string Seconds(absl::Duration duration) { return absl::FormatDuration(duration); }

SocketFault HangUp(const SocketProbe& probe, const ProbeResult& result) {
  if (!result.greeting.empty()) {
    return {fmt::format("'{}' hangs up in the middle of its greeting, which begins \"{}\"",
                        probe.place.path, Shown(result.greeting)),
            "See the log of who listens there."};
  }
  return {
      fmt::format("'{}' listens, but hangs up at once", probe.place.path),
      fmt::format("If it is sasld-adapter's, does allow_users or allow_groups of its [[listen]] "
                  "have {}? Its log tells whom it refused.",
                  probe.user.text())};
}

SocketFault NoEnd(const SocketProbe& probe, const ProbeResult& result) {
  if (result.greeting.empty()) {
    return {fmt::format("'{}' takes the connection, but says nothing for {}", probe.place.path,
                        Seconds(probe.patience)),
            "Is it saslauthd's protocol (--protocol saslauthd)? Or does its server hang, or have "
            "max_connections?"};
  }
  return {fmt::format("the greeting of '{}' does not end (no line DONE)", probe.place.path),
          kWhoListens};
}

// "'x' …" in front of what a greeting told, so that each verdict names the socket.
SocketVerdict About(const std::string& path, SocketVerdict verdict) {
  if (auto* fault = std::get_if<SocketFault>(&verdict)) {
    fault->what = fmt::format("'{}' {}", path, fault->what);
  }
  return verdict;
}

SocketFault NotDovecots(std::string_view greeting) {
  return {fmt::format("does not speak Dovecot's auth protocol: it says \"{}\"", Shown(greeting)),
          kWhoListens};
}

// Whether flag `flag` is among those of a MECH line.
bool HasFlag(TabFields fields, std::string_view flag) {
  while (std::optional<std::string_view> one = fields.Next()) {
    if (*one == flag) return true;
  }
  return false;
}

SocketVerdict Explain(const SocketProbe& probe, const ProbeResult& result) {
  switch (result.got) {
    case Got::kNoChroot:
      return SocketFault{
          fmt::format("cannot change into '{}': {}", probe.place.chroot,
                      std::strerror(result.error)),
          "Give the folder that the mail server is confined to, such as /var/spool/postfix."};
    case Got::kNoUser:
      return SocketFault{
          fmt::format("cannot become {}: {}", probe.user.text(), std::strerror(result.error)),
          "Run this as root."};
    case Got::kNoConnection:
      return ExplainNoConnection(probe.place, probe.user, result.error);
    case Got::kConnection:
      return WorkingSocket{};
    case Got::kDone:
      return About(probe.place.path, JudgeGreeting(result.greeting));
    case Got::kHangUp:
      return HangUp(probe, result);
    case Got::kSilence:
    case Got::kFlood:
      break;
  }
  // Who does not greet as Dovecot is told by how he begins.
  const std::string_view greeting = result.greeting;
  if (!greeting.empty() && !greeting.starts_with("VERSION\t")) {
    return About(probe.place.path, NotDovecots(greeting));
  }
  return NoEnd(probe, result);
}

}  // namespace

SocketFault ExplainNoConnection(const SocketPlace& place, const SocketUser& user, int error) {
  const std::string& path = place.path;
  // The kernel says the same of a file that is no socket as of a socket that nobody listens on.
  if (std::optional<SocketFault> fault = FindSocketFault(place, user)) return *fault;
  switch (error) {
    case ECONNREFUSED:
      return {fmt::format("nobody listens on '{}'", path),
              "Start sasld-adapter, and see that path of its [[listen]] is the same file."};
    case EAGAIN:
      return {
          fmt::format("'{}' takes no more connections: those that wait for its server to accept "
                      "them fill the queue",
                      path),
          "See max_connections of its [[listen]], and the log of sasld-adapter."};
    case EPROTOTYPE:
      return {fmt::format("'{}' is a socket for datagrams or packets, not for connections", path),
              kWhoListens};
    case EACCES:
    case EPERM:
      return {fmt::format("{} may not connect to '{}', though owner, group and mode of all on the "
                          "way would let it",
                          user.text(), path),
              "See ACLs (getfacl), and what AppArmor or SELinux say in the kernel's log."};
    default:
      return {fmt::format("cannot connect to '{}': {}", path, std::strerror(error)),
              "Is the path right?"};
  }
}

SocketVerdict JudgeGreeting(std::string_view greeting) {
  if (!greeting.starts_with("VERSION\t")) return NotDovecots(greeting);
  WorkingSocket socket;
  while (!greeting.empty()) {
    const size_t end = std::min(greeting.find('\n'), greeting.size());
    TabFields fields(greeting.substr(0, end));
    greeting.remove_prefix(std::min(end + 1, greeting.size()));
    const std::string_view command = fields.Next().value_or("");
    if (command == "DONE") break;
    const std::string_view first = fields.Next().value_or("");
    if (command == "VERSION" && first != "1") {
      return SocketFault{
          fmt::format("speaks version {} of its protocol, and Postfix version 1", Shown(first)),
          kWhoListens};
    }
    // Postfix and Exim: an auth-master socket.
    if (command == "SPID" && socket.mechanisms.empty()) {
      return SocketFault{"says SPID before any mechanism: it is not for logins (auth-client)",
                         "Give the auth-client socket, not auth-master or auth-userdb."};
    }
    if (command == "MECH" && !first.empty() && !HasFlag(fields, "private")) {
      socket.mechanisms.emplace_back(first);
    }
  }
  if (socket.mechanisms.empty()) {
    return SocketFault{"offers no mechanism, and Postfix's smtpd dies of that",
                       "See enabled under [mechanisms] in sasld.toml."};
  }
  return socket;
}

absl::StatusOr<SocketVerdict> CheckSocket(const SocketProbe& probe) {
  const std::string& path = probe.place.path;
  if (path.size() > kMaxPathBytes) {
    return SocketFault{
        fmt::format("'{}' is longer than the {} bytes a Unix socket's path may have", path,
                    kMaxPathBytes),
        "Choose a shorter one. Postfix takes one relative to its queue, such as private/sasld."};
  }
  ASSIGN_OR_RETURN(ProbeResult result, ProbeSocket(probe));
  return Explain(probe, result);
}

}  // namespace sasld
