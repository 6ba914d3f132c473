#include "server/config.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "proto/common/toml_reader.h"

namespace sasld {
namespace {

// A budget for all hashing threads together, so that many cores do not take all memory.
constexpr int64_t kDefaultMemoryMib = 512;

void ReadListen(TomlTable listen, ServerConfig& config) {
  const mode_t sasl_mode = listen.Mode("sasl_mode", 0660);
  const std::string sasl_group = listen.String("sasl_group", "");
  for (const std::string& address : listen.Strings("sasl", {"unix:/run/sasld/sasl.sock"})) {
    if (absl::StatusOr<std::string> path = UnixSocketPath(address); path.ok()) {
      config.sasl_sockets.push_back({*std::move(path), sasl_mode, "", sasl_group});
    } else if (!address.starts_with("unix:") && address.find(':') != std::string::npos) {
      config.sasl_tcp.push_back(address);
    } else {
      listen.Reject("sasl", absl::StrCat("\"", address, "\" is neither unix:/path nor host:port"));
    }
  }
  for (const std::string& address : listen.Strings("admin", {"unix:/run/sasld/admin.sock"})) {
    if (absl::StatusOr<std::string> path = UnixSocketPath(address); path.ok()) {
      config.admin_sockets.push_back({*std::move(path), 0600, "", ""});
    } else {
      listen.Reject("admin", absl::StrCat("\"", address, "\" is not unix:/path"));
    }
  }
  if (config.sasl_sockets.empty() && config.sasl_tcp.empty()) {
    listen.Reject("sasl", "needs at least one address");
  }

  TomlTable tls = listen.Table("tls");
  config.tls = {tls.String("certificate", ""), tls.String("key", ""), tls.String("client_ca", "")};
  const bool complete =
      !config.tls.certificate.empty() && !config.tls.key.empty() && !config.tls.client_ca.empty();
  if (!config.sasl_tcp.empty() && !complete) {
    listen.Reject("sasl",
                  "a TCP address needs [listen.tls] certificate, key and client_ca: callers are "
                  "trusted, so they must prove who they are");
  }
}

void ReadMechanisms(TomlTable mechanisms, ExchangePolicy& policy) {
  std::vector<std::string> known;
  for (const RegisteredMechanism& one : AllMechanisms()) known.emplace_back(one.name);
  for (const std::string& name : mechanisms.Strings("enabled", known)) {
    const RegisteredMechanism* mechanism = FindMechanism(name);
    if (!mechanism) {
      std::string all;
      for (const std::string& one : known) absl::StrAppend(&all, all.empty() ? "" : ", ", one);
      mechanisms.Reject("enabled", absl::StrCat("\"", name, "\" is unknown; there are ", all));
    } else if (std::find(policy.mechanisms.begin(), policy.mechanisms.end(), mechanism->name) ==
               policy.mechanisms.end()) {
      policy.mechanisms.emplace_back(mechanism->name);
    } else {
      mechanisms.Reject("enabled", absl::StrCat("\"", name, "\" is there twice"));
    }
  }
  if (policy.mechanisms.empty()) mechanisms.Reject("enabled", "needs at least one mechanism");

  const std::string plaintext = mechanisms.String("plaintext", "secured");
  if (plaintext == "always") {
    policy.plaintext = PlaintextRule::kAlways;
  } else if (plaintext != "secured") {
    mechanisms.Reject("plaintext",
                      absl::StrCat("\"", plaintext, "\" is neither \"secured\" nor \"always\""));
  }
}

void ReadPasswords(TomlTable passwords, ServerConfig& config) {
  TomlTable argon2id = passwords.Table("argon2id");
  config.argon2id.memory_kib = static_cast<uint32_t>(
      argon2id.Integer("memory_kib", config.argon2id.memory_kib, 8, 4 * 1024 * 1024));
  config.argon2id.iterations =
      static_cast<uint32_t>(argon2id.Integer("iterations", config.argon2id.iterations, 1, 1000));
  config.argon2id.parallelism =
      static_cast<uint32_t>(argon2id.Integer("parallelism", config.argon2id.parallelism, 1, 64));
  if (config.argon2id.memory_kib < 8 * config.argon2id.parallelism) {
    argon2id.Reject("memory_kib",
                    "must be at least 8 times the parallelism (RFC 9106 section 3.1)");
  }
  config.scram_iterations = static_cast<uint32_t>(passwords.Table("scram").Integer(
      "iterations", kScramIterationsLeast, kScramIterationsLeast, kScramIterationsMost));
}

void ReadHashing(TomlTable hashing, ServerConfig& config) {
  const int64_t cores = std::max<int64_t>(1, std::thread::hardware_concurrency());
  const int64_t memory_kib = 1024 * hashing.Integer("memory_mib", kDefaultMemoryMib, 1, 1 << 20);
  const int64_t threads = hashing.Integer("threads", cores, 1, 1024);
  const int64_t affordable = memory_kib / config.argon2id.memory_kib;
  if (affordable == 0) {
    hashing.Reject("memory_mib", absl::StrCat("is less than one Argon2id hash takes (",
                                              config.argon2id.memory_kib, " KiB)"));
  }
  config.hashing.threads = static_cast<size_t>(std::max<int64_t>(1, std::min(threads, affordable)));
  config.hashing.queued = static_cast<size_t>(hashing.Integer("queue", 256, 1, 1 << 20));
  const auto half = static_cast<int64_t>(std::max<size_t>(1, config.hashing.queued / 2));
  config.hashing.per_source =
      static_cast<size_t>(hashing.Integer("queue_per_address", half, 1, 1 << 20));
}

void ReadPolicy(TomlTable policy, ExchangePolicy& result) {
  // Under the shortest patience of any mail server: chasquid's 5 s for a whole exchange.
  result.failure_delay =
      policy.Duration("failure_delay", absl::Seconds(2), absl::ZeroDuration(), absl::Seconds(3));
  result.state_lifetime =
      policy.Duration("state_lifetime", absl::Seconds(120), absl::Seconds(1), absl::Hours(1));
  for (const std::string& name : policy.Strings("proxies", {})) {
    absl::StatusOr<Username> prepared = Username::Prepare(name);
    if (prepared.ok()) {
      result.proxies.push_back(*std::move(prepared));
    } else {
      policy.Reject("proxies", "holds a name that cannot be a user's");
    }
  }
}

absl::StatusOr<ServerConfig> ReadServerConfig(TomlDocument document) {
  ServerConfig config;
  TomlTable root = document.Root();
  TomlTable store = root.Table("store");
  config.store_url = store.String("url", "sqlite:/var/lib/sasld/sasld.db");
  config.key_file = root.Table("keys").String("file", "/var/lib/sasld/sasld.key");
  ReadListen(root.Table("listen"), config);
  ReadMechanisms(root.Table("mechanisms"), config.policy);
  ReadPasswords(root.Table("passwords"), config);
  ReadHashing(root.Table("hashing"), config);
  ReadPolicy(root.Table("policy"), config.policy);

  TomlTable log = root.Table("log");
  config.log_level = log.String("level", "info");
  constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error"};
  if (std::find(std::begin(kLevels), std::end(kLevels), config.log_level) == std::end(kLevels)) {
    log.Reject("level",
               absl::StrCat("\"", config.log_level, "\" is none of debug, info, warn, error"));
  }
  config.log_successes = log.Boolean("successes", false);

  RETURN_IF_ERROR(document.Finish());
  return config;
}

}  // namespace

absl::StatusOr<ServerConfig> LoadServerConfig(const std::string& path) {
  ASSIGN_OR_RETURN(TomlDocument document, TomlDocument::Load(path));
  return ReadServerConfig(std::move(document));
}

absl::StatusOr<ServerConfig> ParseServerConfig(std::string_view text, std::string name) {
  ASSIGN_OR_RETURN(TomlDocument document, TomlDocument::Parse(text, std::move(name)));
  return ReadServerConfig(std::move(document));
}

}  // namespace sasld
