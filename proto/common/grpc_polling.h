// How gRPC waits for its sockets.
#pragma once

#include <cstdlib>

namespace sasld {

// With its default (epoll1) one thread of the process waits for all sockets of all queues and wakes
// the thread that the news is for. A lone login then costs twice the CPU. Each queue waiting for
// its own sockets has no such leader; our queues have a handful each. Call it first in main(): gRPC
// looks once. What the environment says goes before.
inline void PollWithoutALeader() { setenv("GRPC_POLL_STRATEGY", "poll", 0); }

}  // namespace sasld
