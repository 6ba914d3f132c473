// The system's users and groups: from names to numbers and back, wherever they are kept (NSS).
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sasld {

// Not "Account", which is one of a mail user: see storage/store.h.
struct SystemUser {
  std::string name;
  uid_t uid;
  gid_t gid;
};

// The id that `text` is in decimal, or the one of the user, or group, of that name. A number needs
// no account. NotFound: there is none. Unavailable: the system could not tell.
absl::StatusOr<uid_t> UserIdOf(const std::string& text);
absl::StatusOr<gid_t> GroupIdOf(const std::string& text);

// The user of that number. Errors as above.
absl::StatusOr<SystemUser> SystemUserOf(uid_t uid);
// All groups that a session of `user` is in, its own one first (getgrouplist(3)).
std::vector<gid_t> GroupsOf(const SystemUser& user);

// Names for texts; the number where there is none.
std::string UserName(uid_t uid);
std::string GroupName(gid_t gid);

}  // namespace sasld
