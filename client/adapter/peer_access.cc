#include "client/adapter/peer_access.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace sasld {
namespace {

template <class Id>
bool Has(const std::vector<Id>& ids, Id id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

std::optional<Peer> PeerOf(int socket, PeerGroups groups) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  Peer peer{credentials.pid, credentials.uid, credentials.gid, {}};
  if (groups == PeerGroups::kWithout) return peer;
  peer.groups.resize(32);
  // Where there are more, the kernel says how many.
  for (int tries = 0; tries < 2; ++tries) {
    size = static_cast<socklen_t>(peer.groups.size() * sizeof(gid_t));
    const int done = getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size);
    const int why = errno;
    peer.groups.resize(done == 0 || why == ERANGE ? size / sizeof(gid_t) : 0);
    if (done == 0) return peer;
    if (why != ERANGE) break;
  }
  peer.groups.clear();
  return peer;  // a kernel before 4.13 knows of no groups; the others still count
}

bool Admits(const AccessRule& rule, const Peer& peer) {
  return rule.admits_all() || Has(rule.users, peer.uid) || Has(rule.groups, peer.gid) ||
         std::any_of(peer.groups.begin(), peer.groups.end(),
                     [&rule](gid_t group) { return Has(rule.groups, group); });
}

}  // namespace sasld
