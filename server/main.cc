// sasld: builds every part by name, wires them, serves, drains on SIGTERM.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "proto/common/grpc_polling.h"
#include "proto/common/status_macros.h"
#include "server/auth/accounts.h"
#include "server/auth/answers.h"
#include "server/auth/audit.h"
#include "server/auth/entropy.h"
#include "server/auth/exchange.h"
#include "server/auth/key_file.h"
#include "server/config.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/endpoint.h"
#include "server/sasl/sealed_state.h"
#include "storage/open.h"

namespace sasld {
namespace {

// Longer than the longest failure delay, so that held replies still leave.
constexpr absl::Duration kDrainPatience = absl::Seconds(5);

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

// Secrets are in memory: nothing of it goes to a core file or to another process of this user.
void KeepMemoryPrivate() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

// The signals that Run() waits for; blocked in all threads, as these inherit it.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
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

absl::StatusOr<std::string> ReadTlsFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot be read (listen.tls)"));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeTls(const ServerConfig& config) {
  if (config.sasl_tcp.empty()) return nullptr;
  // Callers are believed, so each must show a certificate of the named authority.
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  ASSIGN_OR_RETURN(options.pem_root_certs, ReadTlsFile(config.tls.client_ca));
  grpc::SslServerCredentialsOptions::PemKeyCertPair pair;
  ASSIGN_OR_RETURN(pair.private_key, ReadTlsFile(config.tls.key));
  ASSIGN_OR_RETURN(pair.cert_chain, ReadTlsFile(config.tls.certificate));
  options.pem_key_cert_pairs.push_back(std::move(pair));
  return grpc::SslServerCredentials(options);
}

void Reload(const std::string& path, Exchange& exchange, const Log& log) {
  const absl::StatusOr<ServerConfig> config = LoadServerConfig(path);
  if (!config.ok()) {
    log->error("not reloaded, going on as before: {}", std::string(config.status().message()));
    return;
  }
  exchange.Adopt(config->policy);
  log->set_level(spdlog::level::from_str(config->log_level));
  log->info("reloaded [mechanisms], [policy] and log.level; other settings need a restart");
}

absl::Status Run(const std::string& path, const ServerConfig& config, const Log& log) {
  const sigset_t signals = BlockSignals();
  const absl::Time started = absl::Now();
  Entropy entropy;
  ASSIGN_OR_RETURN(const ClusterKeys keys, LoadOrCreateKeys(config, entropy, log));
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store,
                   OpenStore(config.store_url, StorePresence::kCreateIfMissing));
  const PasswordHasher hasher(config.argon2id, keys.pepper);
  Lane lane(config.hashing);
  const Answers answers(*store, hasher, lane, keys.decoy, config.scram_iterations);
  const StateSealer sealer(keys.state, entropy.Bytes(kStateSaltBytes));
  Audit audit(log, config.log_successes);
  Exchange exchange(config.policy, *store, answers, sealer, entropy, audit);
  Accounts accounts(*store, hasher, lane, entropy, config.scram_iterations);
  const std::unique_ptr<grpc::Service> admin_service =
      MakeAdminService({accounts, *store, exchange, lane, audit, config.store_url, started, log});

  ASSIGN_OR_RETURN(std::shared_ptr<grpc::ServerCredentials> tls, MakeTls(config));
  ASSIGN_OR_RETURN(
      auto sasl_endpoint,
      Endpoint::Start(exchange, {config.sasl_sockets, config.sasl_tcp, tls, nullptr, false}));
  ASSIGN_OR_RETURN(
      auto admin_endpoint,
      Endpoint::Start(exchange, {config.admin_sockets, {}, nullptr, admin_service.get(), true}));
  log->info("sasld {} serves {}", SASLD_VERSION, config.store_url);
  sd_notify(0, "READY=1");

  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) {
    sd_notify(0, "RELOADING=1");
    Reload(path, exchange, log);
    sd_notify(0, "READY=1");
  }
  sd_notify(0, "STOPPING=1");
  log->info("stopping: answers what has come in");
  admin_endpoint->Drain(kDrainPatience);
  sasl_endpoint->Drain(kDrainPatience);
  lane.Close();
  admin_endpoint.reset();
  sasl_endpoint.reset();
  log->info("stopped");
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app{"sasld: a SASL authentication server for mail servers. See sasld(8)."};
  std::string path = "/etc/sasld/sasld.toml";
  bool check_only = false;
  app.add_option("--config", path, "Configuration file")->type_name("FILE")->capture_default_str();
  app.add_flag("--check-config", check_only,
               "Read the configuration, tell what is wrong, and exit");
  app.set_version_flag("--version", "sasld " SASLD_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  const absl::StatusOr<ServerConfig> config = LoadServerConfig(path);
  if (!config.ok()) {
    std::fprintf(stderr, "%s\n", std::string(config.status().message()).c_str());
    return 1;
  }
  if (check_only) {
    std::fprintf(stderr, "%s: OK\n", path.c_str());
    return 0;
  }

  KeepMemoryPrivate();
  umask(0177);  // sockets and files are ours until their mode is set
  // Debian's Abseil hunts lock cycles at each lock, as in a debug build; that costs 3 to 5 %.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  PollWithoutALeader();
  const Log log = MakeLog(config->log_level);
  const absl::Status status = Run(path, *config, log);
  if (!status.ok()) {
    log->error("{}", std::string(status.message()));
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace sasld

int main(int argc, char** argv) { return sasld::Main(argc, argv); }
