#include "proto/common/unix_socket.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"

namespace sasld {
namespace {

constexpr size_t kMaxPathBytes = sizeof(sockaddr_un{}.sun_path) - 1;
constexpr uid_t kUnchanged = static_cast<uid_t>(-1);

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

absl::Status CheckLength(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("the path of a socket is empty");
  if (path.size() <= kMaxPathBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      path, ": is ", path.size(), " bytes long, but a Unix socket's path takes ", kMaxPathBytes,
      "; choose a shorter one"));
}

absl::Status CheckFolder(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  if (access(folder.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  const std::string what = errno == ENOENT
                               ? absl::StrCat("there is no folder ", folder, "; make it first")
                               : absl::StrCat("the folder ", folder, " is not writable for uid ",
                                              geteuid());
  return absl::FailedPreconditionError(absl::StrCat(path, ": ", what));
}

// Whether somebody accepts connections there. Nothing: cannot be told.
std::optional<bool> IsLive(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return std::nullopt;
  const absl::Cleanup closer = [fd] { close(fd); };
  const sockaddr_un address = AddressOf(path);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  if (errno == ECONNREFUSED || errno == ENOENT) return false;
  // EAGAIN: it listens, but its queue is full. Anything else is not ours to judge.
  return errno == EAGAIN ? std::optional<bool>(true) : std::nullopt;
}

// Look-ups of user and group differ in names only. Nothing: there is none.
std::optional<uint32_t> IdOf(const std::string& name, bool group) {
  uint32_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error == std::errc() && end == name.data() + name.size()) return id;
  if (group) {
    const struct group* entry = getgrnam(name.c_str());
    return entry ? std::optional<uint32_t>(entry->gr_gid) : std::nullopt;
  }
  const struct passwd* entry = getpwnam(name.c_str());
  return entry ? std::optional<uint32_t>(entry->pw_uid) : std::nullopt;
}

absl::StatusOr<uint32_t> ResolveId(const SocketFile& file, const std::string& name, bool group) {
  if (name.empty()) return kUnchanged;
  if (const auto id = IdOf(name, group)) return *id;
  return absl::NotFoundError(
      absl::StrCat(file.path, ": there is no ", group ? "group" : "user", " \"", name, "\""));
}

}  // namespace

absl::Status ClearStaleSocket(const std::string& path) {
  RETURN_IF_ERROR(CheckLength(path));
  RETURN_IF_ERROR(CheckFolder(path));
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(path, ": ", std::strerror(errno)));
  }
  if (!S_ISSOCK(facts.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": is not a socket; move it away or choose another path"));
  }
  const std::optional<bool> live = IsLive(path);
  if (!live) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": cannot tell whether somebody listens there: ", std::strerror(errno)));
  }
  if (*live) {
    return absl::AlreadyExistsError(
        absl::StrCat(path, ": another program listens there; stop it or choose another path"));
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": a stale socket cannot be removed: ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::Status ApplySocketFile(const SocketFile& file) {
  ASSIGN_OR_RETURN(const uint32_t owner, ResolveId(file, file.owner, false));
  ASSIGN_OR_RETURN(const uint32_t group, ResolveId(file, file.group, true));
  if ((owner != kUnchanged || group != kUnchanged) && chown(file.path.c_str(), owner, group) != 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        file.path, ": cannot be given to ", file.owner.empty() ? "" : "user " + file.owner,
        file.owner.empty() || file.group.empty() ? "" : " and ",
        file.group.empty() ? "" : "group " + file.group, ": ", std::strerror(errno),
        "; run as root or as a member of that group"));
  }
  if (chmod(file.path.c_str(), file.mode) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(file.path, ": mode cannot be set: ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> UnixSocketPath(std::string_view address) {
  constexpr std::string_view kScheme = "unix:";
  if (!address.starts_with(kScheme) || address.size() == kScheme.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", std::string(address), "\" is not unix:/path"));
  }
  return std::string(address.substr(kScheme.size()));
}

absl::StatusOr<int> ListenUnix(const SocketFile& file, int backlog) {
  RETURN_IF_ERROR(ClearStaleSocket(file.path));
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return absl::UnavailableError(absl::StrCat("socket: ", std::strerror(errno)));
  absl::Cleanup closer = [fd] { close(fd); };
  const sockaddr_un address = AddressOf(file.path);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return absl::UnavailableError(
        absl::StrCat(file.path, ": cannot be bound: ", std::strerror(errno)));
  }
  absl::Cleanup remover = [&file] { unlink(file.path.c_str()); };
  // Until listen(2) nobody can connect, whatever the mode is.
  RETURN_IF_ERROR(ApplySocketFile(file));
  if (listen(fd, backlog) != 0) {
    return absl::UnavailableError(absl::StrCat(file.path, ": listen: ", std::strerror(errno)));
  }
  std::move(remover).Cancel();
  std::move(closer).Cancel();
  return fd;
}

}  // namespace sasld
