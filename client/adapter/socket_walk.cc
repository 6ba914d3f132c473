#include "client/adapter/socket_walk.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <climits>
#include <cstring>
#include <deque>
#include <filesystem>
#include <string_view>
#include <utility>

#include "proto/common/accounts.h"
#include "spdlog/fmt/fmt.h"

namespace sasld {
namespace {

constexpr int kMaxLinks = 40;  // as path_resolution(7) has it

// What a mode has a bit for, in the place of the others' bits.
enum class Right : mode_t { kSearch = S_IXOTH, kWrite = S_IWOTH };

// As a shell takes it for one word.
std::string Word(const std::string& path) {
  const bool plain = std::all_of(path.begin(), path.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::strchr("/._-+:", c) != nullptr;
  });
  if (plain) return path;
  std::string word = "'";
  for (char c : path) {
    if (c == '\'') {
      word += R"('\'')";
    } else {
      word += c;
    }
  }
  return word + "'";
}

bool IsIn(gid_t group, const SocketUser& user) {
  return std::find(user.groups.begin(), user.groups.end(), group) != user.groups.end();
}

// The first of owner, group and others that fits decides, whatever the next would allow.
bool Allows(const struct stat& file, Right right, const SocketUser& user) {
  const auto bit = static_cast<mode_t>(right);
  if (user.uid == 0) return true;
  if (file.st_uid == user.uid) return (file.st_mode & (bit << 6)) != 0;
  if (IsIn(file.st_gid, user)) return (file.st_mode & (bit << 3)) != 0;
  return (file.st_mode & bit) != 0;
}

std::string Rights(const struct stat& file) {
  return fmt::format("it belongs to {}:{} and has mode {:04o}", UserName(file.st_uid),
                     GroupName(file.st_gid), file.st_mode & 07777);
}

// What gives `user` the right to `path` and as little else as can be.
std::string Mend(const std::string& path, const struct stat& file, Right right,
                 const SocketUser& user) {
  const bool search = right == Right::kSearch;
  const char* letters = search ? "x" : "rw";
  if (file.st_uid == user.uid) return fmt::format("chmod u+{} {}", letters, Word(path));
  if (IsIn(file.st_gid, user)) return fmt::format("chmod g+{} {}", letters, Word(path));
  const bool group_may = (file.st_mode & (static_cast<mode_t>(right) << 3)) != 0;
  // Nobody needs to be in root's group.
  if (group_may && file.st_gid != 0 && !user.name.empty()) {
    return fmt::format("usermod -aG {} {}, and restart the mail server", GroupName(file.st_gid),
                       user.name);
  }
  if (search) {
    return fmt::format("chmod o+x {}, which lets everybody pass but list nothing", Word(path));
  }
  const std::string owner = user.name.empty() ? std::to_string(user.uid) : user.name;
  return fmt::format("chown {0} {1}; so that it stays, owner = \"{0}\" in its [[listen]]", owner,
                     Word(path));
}

class Walk {
 public:
  Walk(const SocketPlace& place, const SocketUser& user) : place_(place), user_(user) {
    root_ = place.chroot;
    while (!root_.empty() && root_.back() == '/') root_.pop_back();
    if (place.chroot.empty() && !place.path.starts_with('/')) {
      std::error_code ignored;
      at_ = std::filesystem::current_path(ignored).string();
    }
    Prepend(place.path);
  }

  std::optional<SocketFault> Run();

 private:
  bool in_chroot() const { return !root_.empty(); }
  // The folder that is reached, as seen from outside.
  std::string Here() const { return root_ + at_ == "" ? "/" : root_ + at_; }
  std::string Below(const std::string& name) const { return root_ + at_ + "/" + name; }

  void Prepend(std::string_view path);
  std::optional<SocketFault> Take(const std::string& name);
  std::optional<SocketFault> Follow(const std::string& link);
  void GoUp();
  std::optional<SocketFault> Enter();
  std::optional<SocketFault> LookAtSocket(const std::string& path, const struct stat& file) const;
  SocketFault Missing(const std::string& path) const;

  const SocketPlace& place_;
  const SocketUser& user_;
  std::string root_;               // of all paths; without a slash at the end
  std::string at_;                 // below it; likewise
  std::deque<std::string> names_;  // still to go
  int links_ = 0;
  bool leads_out_ = false;  // a link went on at the root of the chroot
  std::string link_;        // the last one that was followed
  std::string link_target_;
  bool arrived_ = false;
};

void Walk::Prepend(std::string_view path) {
  std::deque<std::string> names;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0 && path.substr(0, end) != ".") names.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  names_.insert(names_.begin(), names.begin(), names.end());
}

std::optional<SocketFault> Walk::Run() {
  if (auto fault = Enter()) return fault;
  while (!names_.empty()) {
    const std::string name = std::move(names_.front());
    names_.pop_front();
    if (auto fault = Take(name)) return fault;
  }
  if (arrived_) return std::nullopt;
  return SocketFault{fmt::format("'{}' is a folder, not a socket", Here()),
                     "Give the path of the socket in it."};
}

std::optional<SocketFault> Walk::Take(const std::string& name) {
  if (name == "..") {
    GoUp();
    return Enter();
  }
  const std::string path = Below(name);
  struct stat file {};
  if (lstat(path.c_str(), &file) != 0) {
    if (errno == ENOENT) return Missing(path);
    return SocketFault{fmt::format("'{}' cannot be looked at: {}", path, std::strerror(errno)),
                       "Run this as root to learn more."};
  }
  if (S_ISLNK(file.st_mode)) return Follow(path);
  if (names_.empty()) {
    arrived_ = true;
    return LookAtSocket(path, file);
  }
  if (!S_ISDIR(file.st_mode)) {
    return SocketFault{fmt::format("'{}' is not a folder, so nothing can be below it", path),
                       "Is the path of the socket right?"};
  }
  at_ += "/" + name;
  return Enter();
}

std::optional<SocketFault> Walk::Follow(const std::string& link) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = readlink(link.c_str(), target.data(), target.size());
  if (size < 0) {
    return SocketFault{fmt::format("'{}' cannot be read: {}", link, std::strerror(errno)),
                       "Run this as root to learn more."};
  }
  link_ = link;
  link_target_ = std::string(target.data(), static_cast<size_t>(size));
  if (++links_ > kMaxLinks) {
    return SocketFault{fmt::format("'{}' is one of symbolic links that lead in a circle", link_),
                       fmt::format("rm {}", Word(link_))};
  }
  if (link_target_.starts_with('/')) {
    at_.clear();
    leads_out_ = in_chroot();
  }
  Prepend(link_target_);
  return std::nullopt;
}

void Walk::GoUp() {
  if (at_.empty()) {
    leads_out_ = leads_out_ || (in_chroot() && links_ > 0);
    return;
  }
  at_.resize(at_.rfind('/'));
}

std::optional<SocketFault> Walk::Enter() {
  struct stat folder {};
  if (stat(Here().c_str(), &folder) != 0) {
    return SocketFault{fmt::format("'{}' cannot be entered: {}", Here(), std::strerror(errno)),
                       "Is the path right?"};
  }
  if (!S_ISDIR(folder.st_mode)) {
    return SocketFault{fmt::format("'{}' is not a folder", Here()), "Is the path right?"};
  }
  if (Allows(folder, Right::kSearch, user_)) return std::nullopt;
  return SocketFault{
      fmt::format("'{}' does not let {} through: {}", Here(), user_.text(), Rights(folder)),
      Mend(Here(), folder, Right::kSearch, user_)};
}

std::optional<SocketFault> Walk::LookAtSocket(const std::string& path,
                                              const struct stat& file) const {
  if (!S_ISSOCK(file.st_mode)) {
    return SocketFault{
        fmt::format("'{}' is {}, not a socket", path,
                    S_ISDIR(file.st_mode) ? "a folder" : "a file of another kind"),
        "Is it the path of the socket? sasld-adapter makes none where something else is."};
  }
  if (Allows(file, Right::kWrite, user_)) return std::nullopt;
  return SocketFault{fmt::format("'{}' may not be written to by {}, which connecting takes: {}",
                                 path, user_.text(), Rights(file)),
                     Mend(path, file, Right::kWrite, user_)};
}

SocketFault Walk::Missing(const std::string& path) const {
  if (leads_out_) {
    return {fmt::format("the symbolic link '{}' to '{}' leads out of the chroot: from inside, that "
                        "is '{}', which is not there",
                        link_, link_target_, path),
            "Let the socket itself be inside: path of its [[listen]]."};
  }
  if (!link_.empty()) {
    return {fmt::format("the symbolic link '{}' to '{}' is broken: '{}' is not there", link_,
                        link_target_, path),
            fmt::format("Make what it points to, or rm {}", Word(link_))};
  }
  if (in_chroot() && place_.path.starts_with(root_ + "/")) {
    const std::string inside = place_.path.substr(root_.size() + 1);
    return {fmt::format("'{}' is not there: the path is looked for inside of the chroot", path),
            fmt::format("Inside, it is /{0}; for Postfix, smtpd_sasl_path = {0}", inside)};
  }
  if (!names_.empty()) {
    return {fmt::format("the folder '{}' is not there", path),
            fmt::format("mkdir {}, if the path is right", Word(path))};
  }
  return {fmt::format("'{}' is not there", path),
          fmt::format("Start sasld-adapter with a [[listen]] that has path = \"{}\"", path)};
}

}  // namespace

SocketUser ThisProcess() {
  SocketUser user{"", geteuid(), {getegid()}};
  std::vector<gid_t> more(static_cast<size_t>(std::max(0, getgroups(0, nullptr))));
  more.resize(
      static_cast<size_t>(std::max(0, getgroups(static_cast<int>(more.size()), more.data()))));
  user.groups.insert(user.groups.end(), more.begin(), more.end());
  if (absl::StatusOr<SystemUser> account = SystemUserOf(user.uid); account.ok()) {
    user.name = account->name;
  }
  return user;
}

std::string SocketUser::text() const {
  return name.empty() ? fmt::format("uid {}", uid) : fmt::format("{} (uid {})", name, uid);
}

std::optional<SocketFault> FindSocketFault(const SocketPlace& place, const SocketUser& user) {
  return Walk(place, user).Run();
}

}  // namespace sasld
