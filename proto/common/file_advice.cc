#include "proto/common/file_advice.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "proto/common/accounts.h"

namespace sasld {
namespace {

// Folders of the system, which are never to be given away.
constexpr std::array<std::string_view, 15> kShared = {
    "/",    "/dev", "/dev/shm", "/etc", "/home",    "/opt",     "/run",      "/run/secrets",
    "/srv", "/tmp", "/usr",     "/var", "/var/lib", "/var/run", "/var/spool"};

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// For a shell.
std::string Word(const std::string& path) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%=,";
  if (path.find_first_not_of(kPlain) == std::string::npos) return path;
  std::string quoted = "'";
  for (const char c : path) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string Mode(mode_t mode) {
  std::array<char, 8> text;
  (void)std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777));
  return text.data();
}

std::string NameAndNumber(const std::string& name, uint32_t number) {
  const std::string digits = std::to_string(number);
  return name == digits ? absl::StrCat("uid ", digits) : absl::StrCat(name, " (", digits, ")");
}

// "/var/lib/sasld belongs to root (0) with mode 0755, sasld runs as uid 10001"
std::string Facts(const std::string& path, const struct stat& found) {
  return absl::StrCat(path, " belongs to ", NameAndNumber(UserName(found.st_uid), found.st_uid),
                      " with mode ", Mode(found.st_mode), ", ", program_invocation_short_name,
                      " runs as uid ", geteuid());
}

bool MayUse(const std::string& path, int how) {
  return faccessat(AT_FDCWD, path.c_str(), how, AT_EACCESS) == 0;
}

std::string GiveToUs(const std::string& path) {
  return absl::StrCat("chown ", geteuid(), ":", getegid(), " ", Word(path));
}

// The first folder on the way to `path` that we may not pass; empty if there is none.
std::string Impassable(const std::string& path) {
  std::string passed;
  for (const std::filesystem::path& part : std::filesystem::path(FolderOf(path))) {
    passed = (std::filesystem::path(passed) / part).string();
    if (!MayUse(passed, X_OK)) return errno == EACCES ? passed : "";
  }
  return "";
}

std::string Otherwise(int error) {
  return absl::StrCat(std::strerror(error), ", though owner and mode would let uid ", geteuid(),
                      "; see ACLs (getfacl), and what AppArmor or SELinux say in the kernel's log");
}

bool IsShared(const std::string& folder) {
  return std::find(kShared.begin(), kShared.end(), folder) != kShared.end();
}

// `folder` is on the way to `path`.
std::string WhyNotPassed(const std::string& folder, const std::string& path) {
  struct stat found {};
  if (stat(folder.c_str(), &found) != 0) return Otherwise(errno);
  if (found.st_uid == geteuid()) {
    return absl::StrCat(Facts(folder, found), ": chmod u+x ", Word(folder));
  }
  // A volume that came with another owner. What only leads there may be full of others' things.
  if (folder == FolderOf(path) && !IsShared(folder)) {
    return absl::StrCat(Facts(folder, found), ": ", GiveToUs(folder));
  }
  return absl::StrCat(Facts(folder, found), ": chmod o+x ", Word(folder),
                      ", which lets everybody pass but list nothing");
}

std::string WhyNotInFolder(const std::string& path, int error) {
  if (const std::string folder = Impassable(path); !folder.empty())
    return WhyNotPassed(folder, path);
  const std::string folder = FolderOf(path);
  struct stat found {};
  if (stat(folder.c_str(), &found) != 0 || MayUse(folder, W_OK | X_OK)) return Otherwise(error);
  const std::string own = (std::filesystem::path(folder) / "sasld").string();
  return absl::StrCat(Facts(folder, found), ": ",
                      IsShared(folder)
                          ? absl::StrCat("install -d -o ", geteuid(), " -g ", getegid(), " ", own,
                                         ", and configure a path in there")
                      : found.st_uid == geteuid() ? absl::StrCat("chmod u+wx ", Word(folder))
                                                  : GiveToUs(folder));
}

// For errors that are not of owner and mode; empty for others.
std::string WhyNotHere(const std::string& path, int error) {
  if (error == ENOENT || error == ENOTDIR) {
    return absl::StrCat(std::strerror(error), "; make the folder ", FolderOf(path), " first");
  }
  if (error == EROFS) {
    return absl::StrCat(FolderOf(path),
                        " is on a read-only file system: mount a volume there (of a systemd unit: "
                        "ReadWritePaths=), or configure another path");
  }
  return error == EACCES || error == EPERM ? "" : std::strerror(error);
}

std::string WhyNotTheFile(const std::string& path, int error, int how) {
  if (const std::string folder = Impassable(path); !folder.empty())
    return WhyNotPassed(folder, path);
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return WhyNotInFolder(path, error);
  if (MayUse(path, how)) return Otherwise(error);
  const char* const bits = how == R_OK ? "u+r " : "u+rw ";
  return absl::StrCat(
      Facts(path, found), ": ",
      found.st_uid == geteuid() ? absl::StrCat("chmod ", bits, Word(path)) : GiveToUs(path));
}

}  // namespace

std::string WhyNotMade(const std::string& path, int error) {
  const std::string other = WhyNotHere(path, error);
  return other.empty() ? WhyNotInFolder(path, error) : other;
}

std::string WhyNotOpened(const std::string& path, int error) {
  const std::string other = WhyNotHere(path, error);
  return other.empty() ? WhyNotTheFile(path, error, R_OK | W_OK) : other;
}

std::string WhyNotRead(const std::string& path, int error) {
  if (error != EACCES && error != EPERM) return std::strerror(error);
  return WhyNotTheFile(path, error, R_OK);
}

}  // namespace sasld
