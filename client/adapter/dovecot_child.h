// Dovecot's auth process by another program: "service auth { executable = sasld-adapter … }".
//
// Dovecot's master opens the sockets that its own auth process would have, hands them over, starts
// this program again when it has died, and keeps the sockets meanwhile. What it expects of its
// children is in Dovecot's source, lib-master/master-interface.h.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/adapter/config.h"
#include "client/adapter/inherited_sockets.h"
#include "spdlog/formatter.h"

namespace sasld {

// The environment: the value of a variable, null if it is not set.
using Environment = std::function<const char*(const char* name)>;

struct DovecotChild {
  // What to serve, with a [[listen]] for each of `sockets`. Those that nothing here serves (tokens
  // of IMAP URLAUTH) are not in it.
  std::vector<ListenConfig> listen;
  std::vector<InheritedSocket> sockets;
  uint32_t generation = 0;  // of the master's configuration
  uint32_t client_limit = 0;

  // Readable once Dovecot stops, or has read its configuration again and starts another child: then
  // nothing more is to be accepted.
  static constexpr int kMasterIsGone = 6;
};

// Nothing unless Dovecot's master has started this process. FailedPrecondition: it has, and what it
// hands over is not what it should be; the text says what to change in dovecot.conf.
absl::StatusOr<std::optional<DovecotChild>> DovecotChildOf(const Environment& environment);

// What Dovecot does with a socket of its auth service: by its type (since 2.4), or by its name.
// Null: nothing that is served here.
const Protocol* ProtocolOfDovecotSocket(std::string_view path, std::string_view settings);

// Tells the master that this process is ready, which it waits for. Unavailable: it cannot be told.
absl::Status ReportToDovecot(const DovecotChild& child);

// Lines for Dovecot's log process: with a level each, so that not all of them become errors.
std::unique_ptr<spdlog::formatter> DovecotLogFormatter();

}  // namespace sasld
