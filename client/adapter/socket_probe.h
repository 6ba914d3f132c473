// Connects to a Unix socket as a mail server would: as its user and from within its chroot.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/adapter/socket_walk.h"

namespace sasld {

struct SocketProbe {
  SocketPlace place;
  SocketUser user;
  // Becoming the user takes root; false: as whoever this process is.
  bool become_user = false;
  // Wait for a greeting of Dovecot's auth protocol, for so long.
  bool await_greeting = true;
  absl::Duration patience = absl::Seconds(10);  // Postfix's
};

struct ProbeResult {
  enum class Got {
    kNoChroot,  // chroot(2) failed
    kNoUser,    // setgroups(2), setgid(2) or setuid(2) failed
    kNoConnection,
    kConnection,  // and no more was wanted
    kDone,        // a line DONE, which ends a greeting
    kHangUp,      // before that
    kSilence,     // likewise
    kFlood,       // more than a greeting may have
  };
  Got got = Got::kNoConnection;
  int error = 0;  // errno, of what failed
  std::string greeting;
};

// In a child process, as nobody comes back from a chroot. Blocks for `patience` at most. Internal:
// there was no child, or it died.
absl::StatusOr<ProbeResult> ProbeSocket(const SocketProbe& probe);

}  // namespace sasld
