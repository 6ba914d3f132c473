// Says in words why a process cannot reach a Unix socket, by looking at each part of its path as
// the kernel does: inside a chroot, with a user's rights, over symbolic links.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace sasld {

// Who is to connect.
struct SocketUser {
  std::string name;  // empty: the number has no account
  uid_t uid;
  std::vector<gid_t> groups;  // the primary one first; at least that

  std::string text() const;  // "postfix (uid 105)"
};

// This process.
SocketUser ThisProcess();

// Where the socket is for them.
struct SocketPlace {
  std::string path;    // relative: to the chroot, or without one to the working directory
  std::string chroot;  // empty: none
};

// The paths in it are the ones outside of the chroot: those that whoever mends it has to type.
struct SocketFault {
  std::string what;
  std::string fix;  // a command, or where to look
};

// The first fault on the way to the socket, the file itself included; nothing if by owner, group,
// mode and kind there is none. ACLs are not looked at. May read names (NSS), so it may block.
std::optional<SocketFault> FindSocketFault(const SocketPlace& place, const SocketUser& user);

}  // namespace sasld
