// Who may connect to a socket, beyond what the file's owner, group and mode say.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

namespace sasld {

// Whoever is in one of the lists; everybody where both are empty.
struct AccessRule {
  std::vector<uid_t> users;
  std::vector<gid_t> groups;
  bool admits_all() const { return users.empty() && groups.empty(); }
  friend bool operator==(const AccessRule&, const AccessRule&) = default;
};

// Who called connect(2), as he was then: what became of the process since changes nothing.
struct Peer {
  pid_t pid = 0;
  uid_t uid = static_cast<uid_t>(-1);
  gid_t gid = static_cast<gid_t>(-1);
  std::vector<gid_t> groups;  // supplementary ones
};

// Of a connected Unix socket; its groups only with kWith, as they cost more than all else. Nothing
// if the kernel does not tell.
enum class PeerGroups { kWith, kWithout };
std::optional<Peer> PeerOf(int socket, PeerGroups groups);

// By the peer's user, its primary group or a supplementary one.
bool Admits(const AccessRule& rule, const Peer& peer);

}  // namespace sasld
