// sasld: builds every part by name, wires them, serves, drains on SIGTERM.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "proto/common/command_line.h"
#include "proto/common/grpc_process.h"
#include "proto/common/metrics_endpoint.h"
#include "proto/common/status_macros.h"
#include "proto/common/tls_files.h"
#include "server/auth/account_lookups.h"
#include "server/auth/accounts.h"
#include "server/auth/answers.h"
#include "server/auth/audit.h"
#include "server/auth/domains.h"
#include "server/auth/entropy.h"
#include "server/auth/exchange.h"
#include "server/auth/key_file.h"
#include "server/auth/key_rotation.h"
#include "server/auth/last_use.h"
#include "server/auth/throttle.h"
#include "server/auth/verification_cache.h"
#include "server/config.h"
#include "server/health_command.h"
#include "server/metrics.h"
#include "server/process.h"
#include "server/reload.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/endpoint.h"
#include "server/rpc/grpc_log.h"
#include "server/sasl/sealed_state.h"
#include "storage/open.h"

namespace sasld {
namespace {

// Longer than the longest failure delay, so that held replies still leave.
constexpr absl::Duration kDrainPatience = absl::Seconds(5);

constexpr int kError = 1;
constexpr int kUsage = 2;

using Log = std::shared_ptr<spdlog::logger>;

// systemd and containers add the time themselves; a terminal gets it from us.
Log MakeLog(const std::string& level) {
  auto log =
      std::make_shared<spdlog::logger>("sasld", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z sasld[%P] %l: %v");
  log->set_level(spdlog::level::from_str(level));
  log->flush_on(spdlog::level::debug);
  return log;
}

// Grows evenly whatever happens to the wall clock.
absl::Time MonotonicNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// The same, with the setting's place before an error.
template <class Value>
absl::StatusOr<Value> At(const Place& place, absl::StatusOr<Value> value) {
  if (value.ok()) return value;
  return absl::Status(value.status().code(),
                      absl::StrCat(place.text, ": ", std::string(value.status().message())));
}

// Keys of the file, made on the very first start. A database without its key file is not usable:
// its passwords were hashed with it.
absl::StatusOr<ClusterKeys> LoadOrCreateKeys(const ServerConfig& config, Entropy& entropy,
                                             const Log& log) {
  absl::StatusOr<ClusterKeys> keys = LoadKeyFile(config.key_file);
  if (!absl::IsNotFound(keys.status())) return keys;
  ASSIGN_OR_RETURN(const bool has_database, StoreExists(config.store_url));
  if (has_database) {
    return absl::FailedPreconditionError(absl::StrCat(
        config.key_file, ": there is no key file, but there is a database (", config.store_url,
        ") whose passwords were hashed with one; restore the key file from a backup"));
  }
  RETURN_IF_ERROR(CreateKeyFile(config.key_file, entropy));
  log->info("made a new key file {}; keep a backup of it apart from the database", config.key_file);
  return LoadKeyFile(config.key_file);
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeTls(const ServerConfig& config) {
  if (config.sasl_tcp.empty()) return nullptr;
  ASSIGN_OR_RETURN(TlsPem pem, ReadTlsFiles({"listen.tls.client_ca", config.tls.client_ca},
                                            {"listen.tls.certificate", config.tls.certificate},
                                            {"listen.tls.key", config.tls.key}));
  // Callers are believed, so each must show a certificate of the named authority.
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = std::move(pem.ca);
  options.pem_key_cert_pairs.push_back({std::move(pem.key), std::move(pem.certificate)});
  return grpc::SslServerCredentials(options);
}

void Reload(const ConfigSource& source, const ServerConfig& started, Exchange& exchange,
            Directory& directory, Deriver& deriver, AccountLookups& lookups, const Log& log) {
  const absl::StatusOr<ServerConfig> config = LoadServerConfig(source);
  if (!config.ok()) {
    log->error("not reloaded, going on as before: {}", std::string(config.status().message()));
    return;
  }
  AdoptReloaded(*config, started, exchange, directory, deriver, lookups);
  log->set_level(spdlog::level::from_str(config->log_level));
  log->info("reloaded [mechanisms], [policy] and log.level; other settings need a restart");
}

void WriteUses(LastUses& last_uses, const Log& log) {
  const absl::Status status = last_uses.Flush();
  if (status.ok()) return;
  log->warn("last uses cannot be written, tried again later: {}", std::string(status.message()));
}

// Waits for one of them. Meanwhile writes last uses, and tells systemd's watchdog that the
// endpoints are alive, for as long as they are.
int NextSignal(const sigset_t& signals, LastUses& last_uses, MetricsEndpoint& metrics,
               const std::vector<Endpoint*>& endpoints, const Log& log) {
  constexpr timespec kBetweenRounds{2, 0};
  while (true) {
    const int signal = sigtimedwait(&signals, nullptr, &kBetweenRounds);
    if (signal > 0) return signal;
    WriteUses(last_uses, log);
    metrics.OpenOrTell(/*again=*/true, *log);
    const auto is_alive = [](Endpoint* endpoint) { return endpoint->IsAlive(); };
    if (std::all_of(endpoints.begin(), endpoints.end(), is_alive)) sd_notify(0, "WATCHDOG=1");
  }
}

absl::Status Run(const ConfigSource& source, const ServerConfig& config, const Log& log) {
  const sigset_t signals = BlockSignals();
  const absl::Time started = absl::Now();
  // Before any file is made.
  ASSIGN_OR_RETURN(std::shared_ptr<grpc::ServerCredentials> tls, MakeTls(config));
  Entropy entropy;
  ASSIGN_OR_RETURN(const ClusterKeys keys,
                   At(config.key_file_at, LoadOrCreateKeys(config, entropy, log)));
  RecordKeys record_keys;
  AddRecordKeys(keys, record_keys);
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store,
                   At(config.store_url_at,
                      OpenStore(config.store_url, StorePresence::kCreateIfMissing, record_keys)));
  PasswordHasher hasher(config.argon2id, PeppersOf(keys), config.hashing_budget.memory);
  Deriver deriver(hasher, entropy, config.Derivation());
  Lane lane(config.hashing, {[&hasher] { hasher.GiveBackMemory(); }});
  VerificationCache cache(config.verification_cache, entropy.SecretBytes(32));
  InFlight in_flight(lane, entropy.SecretBytes(32));
  Directory directory(*store, config.policy.default_realm);
  const Answers answers(*store, directory, deriver, in_flight, cache, keys.decoy,
                        config.scram_iterations);
  const StateSealer sealer(keys.StateKeys(), entropy.Bytes(kStateSaltBytes));
  Audit audit(log, config.log_successes);
  Throttle throttle;
  LastUses last_uses(*store);
  Exchange exchange(config.policy, directory, answers, sealer, entropy, audit, throttle, last_uses);
  Accounts accounts(*store, directory, deriver, lane);
  Domains domains(*store);
  AccountLookups lookups(*store, directory, config.account_lookups);
  UserImport user_import(*store, deriver, lane);
  KeyRotation key_rotation(*store, record_keys, hasher, config.key_file, entropy, log);
  Calibration calibration(hasher, lane, config.hashing_budget, MonotonicNow);
  const std::unique_ptr<grpc::Service> admin_service =
      MakeAdminService({accounts, *store, key_rotation, user_import, exchange, lane, audit,
                        config.store_url, started, log, calibration, domains});

  StepMeter meter;
  ASSIGN_OR_RETURN(auto sasl_endpoint, Endpoint::Start(exchange, {.sockets = config.sasl_sockets,
                                                                  .tcp = config.sasl_tcp,
                                                                  .tls = tls,
                                                                  .lookups = &lookups,
                                                                  .meter = &meter}));
  ASSIGN_OR_RETURN(
      auto admin_endpoint,
      Endpoint::Start(exchange,
                      {config.admin_sockets, {}, nullptr, nullptr, admin_service.get(), true}));
  const MetricsSources sources{audit,    answers,   in_flight, lane,
                               throttle, last_uses, meter,     started};
  MetricsEndpoint metrics(config.metrics, [&sources] { return ServerMetrics(sources); });
  metrics.OpenOrTell(/*again=*/false, *log);
  std::thread resealing([&key_rotation] { key_rotation.Run(); });
  const absl::Cleanup resealing_ends = [&key_rotation, &resealing] {
    key_rotation.Stop();
    resealing.join();
  };
  log->info("sasld {} serves {}", SASLD_VERSION, config.store_url);
  sd_notify(0, "READY=1");

  const std::vector<Endpoint*> endpoints = {sasl_endpoint.get(), admin_endpoint.get()};
  while (NextSignal(signals, last_uses, metrics, endpoints, log) == SIGHUP) {
    sd_notify(0, "RELOADING=1");
    Reload(source, config, exchange, directory, deriver, lookups, log);
    sd_notify(0, "READY=1");
  }
  sd_notify(0, "STOPPING=1");
  log->info("stopping: answers what has come in");
  // Logins first, and one patience for both.
  const absl::Time deadline = absl::Now() + kDrainPatience;
  sasl_endpoint->Drain(deadline);
  admin_endpoint->Drain(deadline);
  lane.Close();
  admin_endpoint.reset();
  sasl_endpoint.reset();
  WriteUses(last_uses, log);
  log->info("stopped");
  return absl::OkStatus();
}

struct CommandLine {
  ConfigSource source{"/etc/sasld/sasld.toml"};
  bool check_config = false;
  std::string database;  // to check; empty: none
  HealthCommand health;
};

// The exit status, where the command line is all; it was told why.
std::optional<int> Parse(int argc, char** argv, CommandLine& command_line) {
  CLI::App app{"sasld: a SASL authentication server for mail servers. See sasld(8).", "sasld"};
  const CLI::Option* named =
      app.add_option("--config", command_line.source.path, "Configuration file")
          ->type_name("FILE")
          ->capture_default_str();
  app.add_flag("--check-config", command_line.check_config,
               "Read the configuration, tell what is wrong, and exit");
  app.add_option("--check-database", command_line.database,
                 "Read a backup, tell whether it is whole and opens under the key file, and exit")
      ->type_name("FILE");
  AddHealthCommand(app, command_line.health);
  app.set_version_flag("--version", "sasld " SASLD_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    (void)std::fprintf(stderr, "sasld: %s\n", WhatIsWrong(app, error).c_str());
    return kUsage;
  }
  command_line.source.may_be_missing = named->count() == 0;
  command_line.source.environment = ServerEnvironment(environ);
  if (!command_line.health.command->parsed()) return std::nullopt;
  if (command_line.check_config || !command_line.database.empty()) {
    (void)std::fprintf(stderr, "sasld: health takes --config and --timeout only\n");
    return kUsage;
  }
  return RunHealthCommand(command_line.health, command_line.source);
}

int Complain(const std::string& text) {
  (void)std::fprintf(stderr, "%s\n", text.c_str());
  return kError;
}

int CheckConfig(const ConfigSource& source, const ServerConfig& config) {
  if (const absl::Status tls = MakeTls(config).status(); !tls.ok()) {
    return Complain(absl::StrCat(source.Name(), ": ", std::string(tls.message())));
  }
  (void)std::printf("%s: OK\n", source.Name().c_str());
  return 0;
}

// Whether a backup can take the database's place: what --check-database tells.
absl::Status CheckDatabase(const ServerConfig& config, const std::string& path) {
  ASSIGN_OR_RETURN(const ClusterKeys keys, LoadKeyFile(config.key_file));
  RecordKeys record_keys;
  AddRecordKeys(keys, record_keys);
  ASSIGN_OR_RETURN(const uint64_t users, CheckBackup(config.store_url, path, record_keys));
  (void)std::printf("%s: OK, %llu users, all of which open under the keys of %s\n", path.c_str(),
                    static_cast<unsigned long long>(users), config.key_file.c_str());
  return absl::OkStatus();
}

int Serve(const ConfigSource& source, const ServerConfig& config) {
  TakeAllDescriptors();
  umask(0177);  // sockets and files are ours until their mode is set
  // Debian's Abseil hunts lock cycles at each lock, as in a debug build; that costs 3 to 5 %.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  PollWithoutALeader();
  const Log log = MakeLog(config.log_level);
  TakeGrpcLog(log, MonotonicNow);
  const absl::Status status = Run(source, config, log);
  if (!status.ok()) log->error("{}", std::string(status.message()));
  return status.ok() ? 0 : kError;
}

int Main(int argc, char** argv) {
  CommandLine command_line;
  if (const std::optional<int> done = Parse(argc, argv, command_line)) return *done;
  const absl::StatusOr<ServerConfig> config = LoadServerConfig(command_line.source);
  if (!config.ok()) return Complain(std::string(config.status().message()));
  if (command_line.check_config) return CheckConfig(command_line.source, *config);
  KeepMemoryPrivate();
  if (command_line.database.empty()) return Serve(command_line.source, *config);
  const absl::Status checked = CheckDatabase(*config, command_line.database);
  return checked.ok() ? 0 : Complain(std::string(checked.message()));
}

}  // namespace
}  // namespace sasld

int main(int argc, char** argv) { return sasld::Main(argc, argv); }
