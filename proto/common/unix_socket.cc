#include "proto/common/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include "proto/common/accounts.h"
#include "proto/common/file_advice.h"
#include "proto/common/status_macros.h"

namespace sasld {
namespace {

// Closes what it holds unless released.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::string About(const std::string& path, std::string_view what) {
  return "'" + path + "' " + std::string(what);
}

std::string WithErrno(std::string text, int number) {
  return std::move(text) + ": " + std::strerror(number);
}

absl::StatusOr<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("a Unix socket needs a path of a file");
  }
  // One byte stays for the closing NUL, which unix(7) asks for.
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        About(path,
              "is longer than the 107 bytes a Unix socket's path may have; choose a shorter "
              "one"));
  }
  path.copy(address.sun_path, path.size());
  return address;
}

// Whether the folder of `path` takes a new file.
absl::Status CheckFolder(const std::string& path) {
  size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  struct stat found {};
  if (stat(folder.c_str(), &found) != 0) {
    return absl::FailedPreconditionError(WithErrno(
        About(path, "cannot be made: the folder '" + folder + "' is not there, create it"), errno));
  }
  if (!S_ISDIR(found.st_mode)) {
    return absl::FailedPreconditionError(
        About(path, "cannot be made: '" + folder + "' is not a folder"));
  }
  if (faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    const int error = errno;
    return absl::FailedPreconditionError(About(path, "cannot be made: " + WhyNotMade(path, error)));
  }
  return absl::OkStatus();
}

// What chown(2) takes for `text`, which UserIdOf or GroupIdOf makes an id of; -1 leaves it as it
// is.
template <class Id>
absl::StatusOr<Id> IdFor(const std::string& path, const std::string& text, const std::string& kind,
                         absl::StatusOr<Id> (*id_of)(const std::string&)) {
  if (text.empty()) return static_cast<Id>(-1);
  absl::StatusOr<Id> id = id_of(text);
  if (id.ok()) return id;
  std::string why = absl::IsNotFound(id.status()) ? "there is no such " + kind
                                                  : kind + " " + std::string(id.status().message());
  return absl::Status(id.status().code(),
                      About(path, "cannot be given to " + kind + " '" + text + "': " + why));
}

absl::Status StatusFromErrno(int number, std::string text) {
  text = WithErrno(std::move(text), number);
  if (number == EPERM || number == EACCES) return absl::PermissionDeniedError(text);
  if (number == EADDRINUSE) return absl::AlreadyExistsError(text);
  return absl::UnavailableError(text);
}

// Whether a dead socket is at `path`; false if nothing is. Errors: as ClearStaleSocket.
absl::StatusOr<bool> HasDeadSocket(const std::string& path) {
  ASSIGN_OR_RETURN(sockaddr_un address, AddressOf(path));
  RETURN_IF_ERROR(CheckFolder(path));
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return false;
    return absl::FailedPreconditionError(WithErrno(About(path, "cannot be examined"), errno));
  }
  if (!S_ISSOCK(found.st_mode)) {
    return absl::FailedPreconditionError(
        About(path, "is there already and is not a socket; move it away or choose another path"));
  }
  // Non-blocking: a live server with a full backlog says EAGAIN instead of keeping us waiting.
  Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (probe.get() < 0) return StatusFromErrno(errno, About(path, "cannot be probed"));
  const bool connected =
      connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  // EPROTOTYPE: one that is alive, for datagrams or packets.
  if (connected || errno == EAGAIN || errno == EPROTOTYPE) {
    return absl::AlreadyExistsError(
        About(path, "is served by another process; stop it first or choose another path"));
  }
  if (errno == ENOENT) return false;  // removed by its owner meanwhile
  if (errno != ECONNREFUSED) {
    return absl::FailedPreconditionError(
        WithErrno(About(path,
                        "is a socket, and nobody can tell whether a dead one; remove it if "
                        "no server uses it"),
                  errno));
  }
  return true;
}

// ApplySocketFile for a file that is still at another path.
absl::Status Apply(const SocketFile& file, const std::string& at) {
  ASSIGN_OR_RETURN(uid_t owner, IdFor(file.path, file.owner, "user", UserIdOf));
  ASSIGN_OR_RETURN(gid_t group, IdFor(file.path, file.group, "group", GroupIdOf));
  const uid_t kLeaveUser = static_cast<uid_t>(-1);
  const gid_t kLeaveGroup = static_cast<gid_t>(-1);
  if (owner != kLeaveUser && chown(at.c_str(), owner, kLeaveGroup) != 0) {
    return StatusFromErrno(errno, About(file.path, "cannot be given to user '" + file.owner + "'"));
  }
  if (group != kLeaveGroup && chown(at.c_str(), kLeaveUser, group) != 0) {
    return StatusFromErrno(errno,
                           About(file.path, "cannot be given to group '" + file.group + "'"));
  }
  if (chmod(at.c_str(), file.mode) != 0) {
    return StatusFromErrno(errno, About(file.path, "cannot be given its mode"));
  }
  return absl::OkStatus();
}

// Where a socket is made that is then moved to `path`; `path` itself where a longer name has no
// room.
std::string MakingPlace(const std::string& path) {
  std::string place = path + ".new";
  return AddressOf(place).ok() ? place : path;
}

}  // namespace

absl::Status ClearStaleSocket(const std::string& path) {
  ASSIGN_OR_RETURN(bool dead, HasDeadSocket(path));
  if (dead && unlink(path.c_str()) != 0 && errno != ENOENT) {
    return absl::FailedPreconditionError(
        WithErrno(About(path, "is a dead socket that cannot be removed"), errno));
  }
  return absl::OkStatus();
}

absl::Status ApplySocketFile(const SocketFile& file) { return Apply(file, file.path); }

absl::StatusOr<std::string> UnixSocketPath(std::string_view address) {
  constexpr std::string_view kScheme = "unix:";
  if (address.substr(0, kScheme.size()) != kScheme || address.size() == kScheme.size()) {
    return absl::InvalidArgumentError("\"" + std::string(address) +
                                      "\" is not an address such as \"unix:/run/sasld/x.sock\"");
  }
  return std::string(address.substr(kScheme.size()));
}

int ConnectUnix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  path.copy(address.sun_path, path.size());
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return descriptor;
  }
  const int error = errno;
  close(descriptor);
  errno = error;
  return -1;
}

absl::StatusOr<int> ListenUnix(const SocketFile& file, int backlog, LiveServer live) {
  const absl::Status found = HasDeadSocket(file.path).status();
  const bool replaces = live == LiveServer::kLosesThePath && absl::IsAlreadyExists(found);
  if (!replaces) RETURN_IF_ERROR(found);
  const std::string place = MakingPlace(file.path);
  RETURN_IF_ERROR(ClearStaleSocket(place));
  ASSIGN_OR_RETURN(sockaddr_un address, AddressOf(place));
  Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (listener.get() < 0) return StatusFromErrno(errno, About(file.path, "cannot be made"));
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return StatusFromErrno(errno, About(place, "cannot be bound"));
  }
  // The umask is the process's, not this thread's, so it stays as it is: until listen(2) the kernel
  // refuses every connect(2), and by then owner and mode are set.
  absl::Status made = Apply(file, place);
  if (made.ok() && listen(listener.get(), backlog) != 0) {
    made = StatusFromErrno(errno, About(file.path, "cannot be listened on"));
  }
  if (made.ok() && rename(place.c_str(), file.path.c_str()) != 0) {
    made = StatusFromErrno(errno, About(file.path, "cannot be put where the old one is"));
  }
  if (!made.ok()) {
    unlink(place.c_str());
    return made;
  }
  return listener.Release();
}

}  // namespace sasld
