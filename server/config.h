// sasld's configuration: one struct, one parser. Every key is described in deploy/sasld.toml and
// sasld.toml(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/common/config_environment.h"
#include "proto/common/metrics_address.h"
#include "proto/common/toml_reader.h"
#include "proto/common/unix_socket.h"
#include "server/auth/derivation.h"
#include "server/auth/exchange.h"
#include "server/auth/hashing_budget.h"
#include "server/auth/lane.h"
#include "server/auth/password_hash.h"
#include "server/auth/verification_cache.h"

namespace sasld {

// Files for mutual TLS on TCP addresses; all three or none.
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string client_ca;
  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

// Where a setting stands, for errors that come later (TomlTable::Place). The same configuration may
// stand in another place.
struct Place {
  std::string text;
  friend bool operator==(const Place&, const Place&) { return true; }
};

struct ServerConfig {
  std::string store_url;
  Place store_url_at;
  std::string key_file;
  Place key_file_at;

  std::vector<SocketFile> sasl_sockets;
  std::vector<std::string> sasl_tcp;  // "192.0.2.1:4720", "[::1]:4720"
  std::vector<SocketFile> admin_sockets;
  TlsFiles tls;

  Argon2idCost argon2id;
  uint32_t scram_iterations = kScramIterationsLeast;
  // What is to be kept of passwords for the mechanisms of `policy`.
  DerivationPlan Derivation() const;
  HashingBudget hashing_budget;
  Lane::Limits hashing;
  VerificationCache::Limits verification_cache;
  ExchangePolicy policy;
  bool account_lookups = false;  // [policy]: the sasl addresses answer questions about accounts

  MetricsAddress metrics;

  std::string log_level;
  bool log_successes = false;
  friend bool operator==(const ServerConfig&, const ServerConfig&) = default;
};

// sasld's own of the process's variables (environ(7)): SASLD_STORE_URL is store.url.
ConfigEnvironment ServerEnvironment(const char* const* variables);

// Reads and checks a file, and what the environment says. InvalidArgument, NotFound,
// PermissionDenied: the text has every mistake with file and line, or with the variable.
absl::StatusOr<ServerConfig> LoadServerConfig(const ConfigSource& source);
// The same for text; `name` stands for the file in errors.
absl::StatusOr<ServerConfig> ParseServerConfig(std::string_view text, std::string name,
                                               ConfigEnvironment environment = {});

}  // namespace sasld
