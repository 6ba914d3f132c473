// The whole adapter but its command line: the event loop, the listeners, the way to sasld.
#pragma once

#include <asio.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/adapter/config.h"
#include "client/adapter/inherited_sockets.h"
#include "client/adapter/listener.h"
#include "client/adapter/mechanism_cache.h"
#include "client/adapter/relay.h"
#include "client/grpc_step_client.h"
#include "client/server_names.h"
#include "proto/common/metrics_endpoint.h"
#include "spdlog/logger.h"

namespace sasld {

// What `config` says of the servers, with the files for TLS read. Errors: as ReadTlsFiles.
absl::StatusOr<std::vector<ServerAddress>> ServerAddresses(const AdapterConfig& config);

class Adapter {
 public:
  using Reload = absl::AnyInvocable<absl::StatusOr<AdapterConfig>()>;

  // `log` must outlive the adapter. `started`: of the wall clock, for metrics.
  Adapter(AdapterConfig config, spdlog::logger& log, absl::Time started);
  ~Adapter();
  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;

  // Opens the sockets but those in `inherited`, which it takes over, and begins to look for sasld,
  // whether it is there or not. `live`: what becomes of another adapter at their paths. Errors: as
  // CheckInherited, ListenUnix and ServerAddresses. FailedPrecondition: the limit of open files is
  // too low.
  absl::Status Start(const std::vector<InheritedSocket>& inherited = {},
                     LiveServer live = LiveServer::kStays);
  // SIGTERM and SIGINT end Run(); SIGHUP takes over what can be changed from what `reload` yields.
  void HandleSignals(Reload reload);
  // Once this descriptor is readable, another process serves the sockets: nothing more is accepted,
  // and Run() ends when the last connection has gone. From here on, SIGINT means the same. Takes
  // the descriptor over.
  void RetireOnceReadable(int descriptor);
  // Serves until Stop(); then answers what is under way, for a few seconds at most, and ends each
  // connection between two logins.
  void Run();
  // Any thread.
  void Stop();

 private:
  using Timer = asio::steady_timer;

  void WaitForSignal();
  void TakeOver(const AdapterConfig& config);
  void Learn(const v1::ListMechanismsReply& mechanisms);
  GrpcStepClient::Callbacks ClientCallbacks();
  ServerNames::Callbacks NameCallbacks();
  void LogChange(const GrpcStepClient::Change& change);
  void TickLater();
  absl::Status Listen(const std::vector<InheritedSocket>& inherited, LiveServer live);
  void Drain(absl::Time began);
  bool MayStillClaim(const Listener& listener, absl::Duration passed) const;
  bool OnlyClientsAreAwaited() const;
  void Retire();
  void EndOnceAlone();

  AdapterConfig config_;
  spdlog::logger& log_;
  const absl::Time started_;
  asio::io_context loop_{1};
  asio::signal_set signals_{loop_};
  Timer tick_{loop_};
  Timer drain_{loop_};
  Reload reload_;
  bool stopping_ = false;
  bool retiring_ = false;
  std::optional<asio::posix::stream_descriptor> successor_;  // see RetireOnceReadable
  bool offers_nothing_ = false;                              // sasld's last list; logged once
  MechanismCache mechanisms_;
  Relay relay_;
  ListenerSurroundings surroundings_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unique_ptr<GrpcStepClient> client_;  // its thread calls into the others
  std::unique_ptr<ServerNames> names_;      // likewise
  // Last: its thread reads what the others have counted. Null until they are there.
  std::unique_ptr<MetricsEndpoint> metrics_;
};

}  // namespace sasld
