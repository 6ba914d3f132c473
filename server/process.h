// What the process of sasld asks of the system before it serves.
#pragma once

#include <csignal>

namespace sasld {

// Secrets are in memory: nothing of it goes to a core file or to another process of this user.
void KeepMemoryPrivate();

// A descriptor for each caller's connection; the soft limit is often 1024. Debian's gRPC must never
// see the limit: it does not listen any more once accept4() has failed.
void TakeAllDescriptors();

// SIGTERM, SIGINT and SIGHUP, which are to be waited for. From here on they are blocked in this
// thread, and in all that it starts, as these inherit it.
sigset_t BlockSignals();

}  // namespace sasld
