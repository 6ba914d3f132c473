// sasld-adapter: the command line, what the process needs, and the adapter.
#include <grpc/support/log.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/adapter/adapter.h"
#include "client/adapter/check_command.h"
#include "client/adapter/config.h"
#include "client/adapter/dovecot_child.h"
#include "client/adapter/health_command.h"
#include "client/adapter/inherited_sockets.h"
#include "proto/common/command_line.h"
#include "proto/common/grpc_process.h"
#include "spdlog/logger.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace {

constexpr int kError = 1;
// gRPC's threads reserve stacks and arenas, and where one cannot be started it waits for it for
// ever.
constexpr rlim_t kAddressSpace = rlim_t{1} << 30;
constexpr int kUsage = 2;

void PrepareProcess() {
  (void)std::signal(SIGPIPE, SIG_IGN);
  // Passwords pass through this memory.
  rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  // One descriptor for each connection; the soft limit is often 1024.
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  // Debian's Abseil looks for lock cycles at every mutex unless told not to.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  sasld::PollWithoutALeader();
  sasld::ResolveAsTheSystemDoes();
  // What gRPC says of a server comes with each attempt to connect; the adapter tells it once. Who
  // debugs sets GRPC_VERBOSITY.
  if (std::getenv("GRPC_VERBOSITY") == nullptr) {
    gpr_set_log_function([](gpr_log_func_args*) {});
  }
}

bool HasAddressSpace() {
  for (auto which : {RLIMIT_AS, RLIMIT_DATA}) {
    rlimit limit;
    if (getrlimit(which, &limit) == 0 && limit.rlim_cur < kAddressSpace) return false;
  }
  return true;
}

spdlog::logger MakeLogger(const std::string& level, bool for_dovecot) {
  spdlog::logger log("sasld-adapter", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (for_dovecot) {
    log.set_formatter(sasld::DovecotLogFormatter());
    log.set_level(spdlog::level::from_str(level));
    return log;
  }
  // The journal has its own clock.
  log.set_pattern(std::getenv("JOURNAL_STREAM") ? "%l: %v" : "%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
  log.set_level(spdlog::level::from_str(level));
  return log;
}

int Complain(const absl::Status& status) {
  (void)std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return kError;
}

using Dovecot = std::optional<sasld::DovecotChild>;

// Dovecot brings the sockets with it; the file may add others.
absl::StatusOr<sasld::AdapterConfig> Load(const sasld::ConfigSource& source,
                                          const Dovecot& dovecot) {
  if (!dovecot) return sasld::LoadAdapterConfig(source);
  auto config = sasld::LoadAdapterConfig(source, sasld::ListenRule::kMayBeMissing);
  if (config.ok()) {
    config->listen.insert(config->listen.end(), dovecot->listen.begin(), dovecot->listen.end());
  }
  return config;
}

int CheckConfig(const sasld::ConfigSource& source) {
  auto config = sasld::LoadAdapterConfig(source, sasld::ListenRule::kMayBeMissing);
  if (!config.ok()) return Complain(config.status());
  if (auto servers = sasld::ServerAddresses(*config); !servers.ok()) {
    return Complain(
        absl::InvalidArgumentError(source.Name() + ": " + std::string(servers.status().message())));
  }
  (void)std::printf("%s: OK%s\n", source.Name().c_str(),
                    config->listen.empty()
                        ? ", but without a [[listen]] it can only be for Dovecot's "
                          "auth service"
                        : "");
  return 0;
}

absl::Status Start(sasld::Adapter& adapter, const Dovecot& dovecot,
                   std::vector<sasld::InheritedSocket> inherited, sasld::LiveServer live) {
  if (!dovecot) return adapter.Start(inherited, live);
  inherited.insert(inherited.end(), dovecot->sockets.begin(), dovecot->sockets.end());
  adapter.RetireOnceReadable(sasld::DovecotChild::kMasterIsGone);
  if (absl::Status started = adapter.Start(inherited, live); !started.ok()) return started;
  return sasld::ReportToDovecot(*dovecot);
}

int Serve(const sasld::ConfigSource& source, sasld::LiveServer live) {
  if (!HasAddressSpace()) {
    return Complain(absl::FailedPreconditionError(
        "the limit of address space is less than 1 GiB; raise it (vsz_limit of service auth in "
        "dovecot.conf, LimitAS= and LimitDATA= of a systemd unit, ulimit -v)"));
  }
  absl::StatusOr<Dovecot> dovecot =
      sasld::DovecotChildOf([](const char* name) { return std::getenv(name); });
  if (!dovecot.ok()) return Complain(dovecot.status());
  absl::StatusOr<sasld::AdapterConfig> config = Load(source, *dovecot);
  if (!config.ok()) return Complain(config.status());

  absl::StatusOr<std::vector<sasld::InheritedSocket>> inherited = sasld::TakeInheritedSockets();
  if (*dovecot) unsetenv("NOTIFY_SOCKET");  // of Dovecot's master
  PrepareProcess();
  spdlog::logger log = MakeLogger(config->log_level, dovecot->has_value());
  sasld::Adapter adapter(*std::move(config), log, absl::Now());
  adapter.HandleSignals([&source, &dovecot] { return Load(source, *dovecot); });
  absl::Status started =
      inherited.ok() ? Start(adapter, *dovecot, *std::move(inherited), live) : inherited.status();
  if (!started.ok()) {
    log.error("cannot start: {}", std::string(started.message()));
    return kError;
  }
  adapter.Run();
  log.info("stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "sasld-adapter: lets mail servers authenticate their users with sasld.\n"
      "It speaks their own protocols on Unix sockets. See sasld-adapter(8).",
      "sasld-adapter");
  sasld::ConfigSource source{"/etc/sasld/adapter.toml"};
  bool check = false;
  const CLI::Option* named = app.add_option("--config", source.path, "Configuration file")
                                 ->type_name("FILE")
                                 ->capture_default_str();
  app.add_flag("--check-config", check, "Read the configuration, tell what is wrong, and exit");
  bool take_over = false;
  app.add_flag("--take-over", take_over,
               "Take the place of an adapter that still listens where this one is to");
  sasld::CheckCommand check_socket;
  sasld::AddCheckCommand(app, check_socket);
  sasld::HealthCommand health;
  sasld::AddHealthCommand(app, health);
  app.set_version_flag("--version", "sasld-adapter " SASLD_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    (void)std::fprintf(stderr, "sasld-adapter: %s\n", sasld::WhatIsWrong(app, error).c_str());
    return kUsage;
  }
  if (check_socket.command->parsed()) return sasld::RunCheckCommand(check_socket);
  source.may_be_missing = named->count() == 0;
  source.environment = sasld::AdapterEnvironment(environ);
  if (health.command->parsed() && check) {
    (void)std::fprintf(stderr, "sasld-adapter: health takes no --check-config\n");
    return kUsage;
  }
  if (health.command->parsed()) {
    PrepareProcess();
    return sasld::RunHealthCommand(health, source);
  }
  if (check) return CheckConfig(source);
  using sasld::LiveServer;
  return Serve(source, take_over ? LiveServer::kLosesThePath : LiveServer::kStays);
}
