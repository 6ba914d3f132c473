#include "client/adapter/health_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <vector>

#include "absl/status/status.h"
#include "client/adapter/adapter.h"
#include "client/adapter/config.h"
#include "client/adapter/health_probe.h"
#include "client/monotonic_time.h"
#include "proto/common/status_macros.h"
#include "proto/rpc/health_question.h"
#include "spdlog/fmt/fmt.h"

namespace sasld {
namespace {

constexpr int kUnhealthy = 1;
constexpr int kUsage = 2;

absl::StatusOr<std::string> CheckListeners(const AdapterConfig& config, absl::Time until) {
  const SocketUser us = ThisProcess();
  std::string refused;
  for (const ListenConfig& listen : config.listen) {
    if (const std::optional<SocketFault> fault = ProbeListener(listen, us, until)) {
      return absl::UnavailableError(fmt::format("{}: {}", fault->what, fault->fix));
    }
    if (LetsIn(listen, us)) continue;
    refused += fmt::format("; {} does not let {} in (allow_users), so no more was tried there",
                           listen.socket.path, us.text());
  }
  const size_t count = config.listen.size();
  return fmt::format("{} of {} sockets {} connections{}", count, count,
                     count == 1 ? "takes" : "take", refused);
}

absl::StatusOr<std::string> CheckServers(const AdapterConfig& config, absl::Duration timeout) {
  ASSIGN_OR_RETURN(const std::vector<ServerAddress> servers, ServerAddresses(config));
  std::vector<HealthTarget> targets;
  targets.reserve(servers.size());
  for (const ServerAddress& server : servers) {
    targets.push_back({server.target, server.credentials});
  }
  ASSIGN_OR_RETURN(const std::string serving, FirstServing(targets, timeout));
  return fmt::format("; {} is serving", serving);
}

absl::StatusOr<std::string> Check(bool ready, const ConfigSource& source, absl::Duration timeout) {
  const absl::Time until = MonotonicNow() + timeout;
  ASSIGN_OR_RETURN(const AdapterConfig config, LoadAdapterConfig(source));
  ASSIGN_OR_RETURN(std::string found, CheckListeners(config, until));
  if (!ready) return found;
  const absl::Duration left = std::max(until - MonotonicNow(), absl::Milliseconds(1));
  ASSIGN_OR_RETURN(const std::string serving, CheckServers(config, left));
  return found + serving;
}

}  // namespace

void AddHealthCommand(CLI::App& app, HealthCommand& health) {
  health.command = app.add_subcommand(
      "health", "Tell whether the adapter that runs by this configuration does its work");
  health.command->fallthrough();  // for --config
  health.command->add_flag("--ready", health.ready, "And whether a sasld of [server] serves");
  health.command->add_option("--timeout", health.timeout, "How long to wait for all, at most 1m")
      ->type_name("DURATION")
      ->capture_default_str();
}

int RunHealthCommand(const HealthCommand& health, const ConfigSource& source) {
  const absl::StatusOr<absl::Duration> timeout = ParseHealthTimeout(health.timeout);
  if (!timeout.ok()) {
    fmt::print(stderr, "sasld-adapter health: {}\n", std::string(timeout.status().message()));
    return kUsage;
  }
  const absl::StatusOr<std::string> found = Check(health.ready, source, *timeout);
  if (!found.ok()) {
    fmt::print(stderr, "{}\n", std::string(found.status().message()));
    return kUnhealthy;
  }
  fmt::print("{}\n", *found);
  return 0;
}

}  // namespace sasld
