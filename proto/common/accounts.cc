#include "proto/common/accounts.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>

#include "proto/common/status_macros.h"

namespace sasld {
namespace {

// `text` as a decimal id; nothing if it is a name. The largest number stands for "none" in chown(2)
// and setuid(2), so nobody has it.
std::optional<uint32_t> IdOf(std::string_view text) {
  uint32_t id = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size() || id == UINT32_MAX) {
    return std::nullopt;
  }
  return id;
}

// Calls a function such as getpwnam_r with room that grows as the entry asks for. The entry points
// into `room`.
template <class Entry, class Key, class Lookup>
absl::StatusOr<Entry> LookUp(Key key, Lookup lookup, std::vector<char>& room) {
  Entry entry{};
  Entry* found = nullptr;
  int error = 0;
  room.resize(1024);
  while ((error = lookup(key, &entry, room.data(), room.size(), &found)) == ERANGE &&
         room.size() < (1 << 20)) {
    room.resize(room.size() * 2);
  }
  if (found != nullptr) return entry;
  // getpwnam(3): some systems tell of an absent entry by one of these.
  if (error == 0 || error == ENOENT || error == ESRCH) return absl::NotFoundError("is not there");
  return absl::UnavailableError(std::string("cannot be looked up: ") + std::strerror(error));
}

}  // namespace

absl::StatusOr<uid_t> UserIdOf(const std::string& text) {
  if (std::optional<uint32_t> id = IdOf(text)) return *id;
  std::vector<char> room;
  ASSIGN_OR_RETURN(passwd entry, LookUp<passwd>(text.c_str(), getpwnam_r, room));
  return entry.pw_uid;
}

absl::StatusOr<gid_t> GroupIdOf(const std::string& text) {
  if (std::optional<uint32_t> id = IdOf(text)) return *id;
  std::vector<char> room;
  ASSIGN_OR_RETURN(group entry, LookUp<group>(text.c_str(), getgrnam_r, room));
  return entry.gr_gid;
}

absl::StatusOr<SystemUser> SystemUserOf(uid_t uid) {
  std::vector<char> room;
  ASSIGN_OR_RETURN(passwd entry, LookUp<passwd>(uid, getpwuid_r, room));
  return SystemUser{entry.pw_name, entry.pw_uid, entry.pw_gid};
}

std::vector<gid_t> GroupsOf(const SystemUser& user) {
  int count = 16;
  std::vector<gid_t> groups(static_cast<size_t>(count));
  while (getgrouplist(user.name.c_str(), user.gid, groups.data(), &count) < 0) {
    // It tells how many there are; more may be added meanwhile.
    groups.resize(std::max(static_cast<size_t>(count), groups.size() * 2));
    count = static_cast<int>(groups.size());
  }
  groups.resize(static_cast<size_t>(count));
  return groups;
}

std::string UserName(uid_t uid) {
  const absl::StatusOr<SystemUser> user = SystemUserOf(uid);
  return user.ok() ? user->name : std::to_string(uid);
}

std::string GroupName(gid_t gid) {
  std::vector<char> room;
  const absl::StatusOr<group> entry = LookUp<group>(gid, getgrgid_r, room);
  return entry.ok() ? entry->gr_name : std::to_string(gid);
}

}  // namespace sasld
