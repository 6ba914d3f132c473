// The servers of the step client, and which of them gets a step.
//
// Steps are spread: each goes to the connected server with the fewest under way, in turn where
// several have as few. So a server that is slow gets fewer, and one that says nothing
// (ServerLink::silent) none, unless there is no other.
//
// Not thread-safe: the step client calls it under its lock. References last until Replace().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/server_link.h"

namespace sasld {

struct PooledServer {
  std::unique_ptr<ServerLink> link;
  std::vector<uint64_t> queue;  // correlation ids of steps to be written
  bool silent = false;          // its link was, when it was looked at last
  bool reported_broken = false;
  // Whether the log has it that it is silent, and when it was told so last.
  bool reported_silent = false;
  absl::Time reported_silent_at = absl::InfinitePast();
};

class ServerPool {
 public:
  // `queue`: as ServerLink has it.
  explicit ServerPool(grpc::CompletionQueue& queue) : queue_(queue) {}

  // Servers whose address stays keep their connection. Yields the others, which are retired.
  std::vector<std::unique_ptr<ServerLink>> Replace(std::vector<ServerAddress> addresses);

  // The one for the next step; it is its turn then. Null: none is connected.
  PooledServer* Pick() { return Pick(nullptr); }
  // One that is not `asked`, is connected and not silent. Null: there is none.
  PooledServer* Another(const ServerLink* asked);
  // The next one in the list after `refuser` that is connected, so that by and by all have their
  // turn; a silent one if there is no other. Null: there is none.
  PooledServer* NextAfter(const PooledServer& refuser);
  // The first in the list that is connected. Null: none is.
  PooledServer* FirstConnected();
  PooledServer* Find(const ServerLink* link);

  std::vector<PooledServer>& all() { return servers_; }
  size_t size() const { return servers_.size(); }
  size_t connected() const;
  // Whether no operation is under way.
  bool idle() const;

 private:
  PooledServer* Pick(const ServerLink* except);

  grpc::CompletionQueue& queue_;
  std::vector<PooledServer> servers_;
  size_t turn_ = 0;
};

}  // namespace sasld
