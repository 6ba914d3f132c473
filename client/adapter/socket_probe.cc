#include "client/adapter/socket_probe.h"

#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "client/monotonic_time.h"
#include "proto/common/unix_socket.h"

namespace sasld {
namespace {

using Got = ProbeResult::Got;

constexpr size_t kMaxGreetingBytes = size_t{64} * 1024;

// What the child writes, before the greeting.
struct Report {
  Got got;
  int error;
};

bool WriteAll(int descriptor, const void* data, size_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t count = write(descriptor, bytes, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

bool EnterChroot(const SocketPlace& place) {
  if (place.chroot.empty()) return true;
  return chroot(place.chroot.c_str()) == 0 && chdir("/") == 0;
}

bool BecomeUser(const SocketProbe& probe) {
  if (!probe.become_user) return true;
  const SocketUser& user = probe.user;
  return setgroups(user.groups.size(), user.groups.data()) == 0 && setgid(user.groups[0]) == 0 &&
         setuid(user.uid) == 0;
}

// Says what Postfix says first, as some servers wait for it, and reads to the end of the greeting.
Got ReadGreeting(int descriptor, absl::Duration patience, std::string& greeting) {
  const std::string hello = "VERSION\t1\t0\nCPID\t" + std::to_string(getpid()) + "\n";
  (void)!send(descriptor, hello.data(), hello.size(), MSG_NOSIGNAL);  // reading tells
  const absl::Time until = MonotonicNow() + patience;
  while (greeting.size() < kMaxGreetingBytes) {
    if (greeting.starts_with("DONE\n") || greeting.find("\nDONE\n") != std::string::npos) {
      return Got::kDone;
    }
    const absl::Duration left = until - MonotonicNow();
    pollfd readable{descriptor, POLLIN, 0};
    const int ready = poll(&readable, 1, static_cast<int>(absl::ToInt64Milliseconds(left) + 1));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || left <= absl::ZeroDuration()) return Got::kSilence;
    std::array<char, 4096> bytes;
    const ssize_t count = recv(descriptor, bytes.data(), bytes.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) return Got::kHangUp;
    greeting.append(bytes.data(), static_cast<size_t>(count));
  }
  return Got::kFlood;
}

Report Try(const SocketProbe& probe, std::string& greeting) {
  if (!EnterChroot(probe.place)) return {Got::kNoChroot, errno};
  if (!BecomeUser(probe)) return {Got::kNoUser, errno};
  const int descriptor = ConnectUnix(probe.place.path);
  if (descriptor < 0) return {Got::kNoConnection, errno};
  if (!probe.await_greeting) return {Got::kConnection, 0};
  return {ReadGreeting(descriptor, probe.patience, greeting), 0};
}

[[noreturn]] void RunChild(const SocketProbe& probe, int out) {
  std::string greeting;
  const Report report = Try(probe, greeting);
  const bool told =
      WriteAll(out, &report, sizeof report) && WriteAll(out, greeting.data(), greeting.size());
  _exit(told ? 0 : 1);  // the parent's exit handlers are not for us
}

std::string ReadToEnd(int descriptor) {
  std::string all;
  std::array<char, 4096> bytes;
  while (true) {
    const ssize_t count = read(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return all;
    all.append(bytes.data(), static_cast<size_t>(count));
  }
}

}  // namespace

absl::StatusOr<ProbeResult> ProbeSocket(const SocketProbe& probe) {
  int ends[2];
  if (pipe(ends) != 0) {
    return absl::InternalError(std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    RunChild(probe, ends[1]);
  }
  const int why = errno;
  close(ends[1]);
  const std::string told = child > 0 ? ReadToEnd(ends[0]) : "";
  close(ends[0]);
  if (child < 0) return absl::InternalError(std::string("cannot fork: ") + std::strerror(why));
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  Report report;
  if (told.size() < sizeof report) {
    return absl::InternalError("the process that was to connect died");
  }
  std::memcpy(&report, told.data(), sizeof report);
  return ProbeResult{report.got, report.error, told.substr(sizeof report)};
}

}  // namespace sasld
