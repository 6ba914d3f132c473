// How gRPC works in this process. Call these first in main(): gRPC looks once. What the environment
// says goes before.
#pragma once

#include <cstdlib>

namespace sasld {

// With its default (epoll1) one thread of the process waits for all sockets of all queues and wakes
// the thread that the news is for. A lone login then costs twice the CPU. Each queue waiting for
// its own sockets has no such leader; our queues have a handful each.
inline void PollWithoutALeader() { setenv("GRPC_POLL_STRATEGY", "poll", 0); }

// Host names are looked up by the system's resolver (nsswitch.conf), as every other program's on
// the machine. gRPC's default, c-ares, has its own view, and loses memory with each look-up.
inline void ResolveAsTheSystemDoes() { setenv("GRPC_DNS_RESOLVER", "native", 0); }

}  // namespace sasld
