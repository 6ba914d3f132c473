// The adapter's configuration: one struct, one parser. Every key is described in
// deploy/adapter.toml and sasld-adapter.toml(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/adapter/peer_access.h"
#include "client/adapter/protocol.h"
#include "client/adapter/protocols.h"
#include "client/adapter/trust.h"
#include "proto/common/config_environment.h"
#include "proto/common/metrics_address.h"
#include "proto/common/toml_reader.h"
#include "proto/common/unix_socket.h"
#include "sasld/v1/sasl.pb.h"

namespace sasld {

// Files for TLS to servers on TCP, in PEM.
struct TlsFiles {
  std::string ca;
  std::string certificate;
  std::string key;
  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

struct ListenConfig {
  const Protocol* protocol;  // never null; static
  SocketFile socket;
  AccessRule access;
  Trust trust;
  TemporaryFailureWay temporary_failure = TemporaryFailureWay::kAuto;
  size_t max_connections = 10000;
  Backends backends;  // at least one where the protocol needs them, else none
  friend bool operator==(const ListenConfig&, const ListenConfig&) = default;
};

struct AdapterConfig {
  std::vector<std::string> server_addresses;  // "unix:/path" or "host:port"
  TlsFiles server_tls;                        // set where an address is not a Unix socket
  std::vector<ListenConfig> listen;
  v1::ListMechanismsReply fallback_mechanisms;
  std::string mechanisms_state_file;  // empty: none
  absl::Duration answer_within;
  absl::Duration idle;
  MetricsAddress metrics;
  std::string log_level;
};

// Whether there must be a [[listen]], or who starts the adapter brings sockets.
enum class ListenRule { kNeeded, kMayBeMissing };

// The adapter's own of the process's variables (environ(7)): SASLD_ADAPTER_LISTEN_0_PATH is `path`
// of the first [[listen]].
ConfigEnvironment AdapterEnvironment(const char* const* variables);

// Reads and checks a file, and what the environment says. NotFound, PermissionDenied: the file
// cannot be read. InvalidArgument: a line for each mistake.
absl::StatusOr<AdapterConfig> LoadAdapterConfig(const ConfigSource& source,
                                                ListenRule rule = ListenRule::kNeeded);
// The same for text; `name` stands for the file in errors.
absl::StatusOr<AdapterConfig> ParseAdapterConfig(std::string_view text, std::string name,
                                                 ListenRule rule = ListenRule::kNeeded,
                                                 ConfigEnvironment environment = {});

}  // namespace sasld
