#include "client/adapter/adapter.h"

#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <string>
#include <utility>

#include "client/adapter/metrics.h"
#include "client/monotonic_time.h"
#include "proto/common/status_macros.h"
#include "proto/common/tls_files.h"

namespace sasld {
namespace {

constexpr std::chrono::seconds kTick(5);
constexpr std::chrono::milliseconds kDrainTick(20);
constexpr std::chrono::milliseconds kAloneTick(200);
constexpr absl::Duration kDrainWithin = absl::Seconds(5);
// In it, how long exchanges go on that wait for their mail client: one that gave up is not told of.
constexpr absl::Duration kClientsTurnWithin = absl::Seconds(1);
// Likewise, how long a client may take from connect(2) to its first request.
constexpr absl::Duration kFirstRequestWithin = absl::Milliseconds(200);
// Kept free of mail servers' connections: the loop, logs, files, and above all the way to sasld. If
// clients had them all, no sasld that comes back could be reached until a client goes.
constexpr rlim_t kOwnDescriptors = 64;

// How many connections the process's limit of open files leaves.
absl::StatusOr<size_t> DescriptorsForConnections() {
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) {
    return std::numeric_limits<size_t>::max();
  }
  if (files.rlim_cur > kOwnDescriptors) return files.rlim_cur - kOwnDescriptors;
  return absl::FailedPreconditionError(
      "the limit of open files is " + std::to_string(files.rlim_cur) + ", and " +
      std::to_string(kOwnDescriptors) +
      " are needed beside one for each connection; raise it (LimitNOFILE= of the systemd unit, or "
      "ulimit -n)");
}

// What to do about a server that cannot be reached, by what gRPC says of it.
std::string Advice(std::string_view target, std::string_view why) {
  auto says = [why](std::string_view text) { return why.find(text) != std::string_view::npos; };
  if (UnixSocketPath(target).ok()) {
    return "Is it running, and may this user (uid " + std::to_string(geteuid()) +
           ") connect there?";
  }
  if (says("certificate verify failed")) {
    return "Its certificate has expired, or is of another authority than server.tls.ca.";
  }
  if (says("is not in peer certificate")) {
    return "Its certificate must have the name that server.addresses has (subjectAltName).";
  }
  return "Is it running? Does it refuse our certificate? Its log tells.";
}

}  // namespace

absl::StatusOr<std::vector<ServerAddress>> ServerAddresses(const AdapterConfig& config) {
  std::vector<ServerAddress> addresses;
  const TlsFiles& files = config.server_tls;
  for (const std::string& target : config.server_addresses) {
    if (UnixSocketPath(target).ok()) {
      addresses.push_back({target, grpc::InsecureChannelCredentials()});
      continue;
    }
    ASSIGN_OR_RETURN(TlsPem pem, ReadTlsFiles({"server.tls.ca", files.ca},
                                              {"server.tls.certificate", files.certificate},
                                              {"server.tls.key", files.key}));
    addresses.push_back({target, grpc::SslCredentials({pem.ca, pem.key, pem.certificate})});
  }
  return addresses;
}

Adapter::Adapter(AdapterConfig config, spdlog::logger& log, absl::Time started)
    : config_(std::move(config)),
      log_(log),
      started_(started),
      mechanisms_(config_.fallback_mechanisms, config_.mechanisms_state_file),
      relay_(loop_, log),
      surroundings_{loop_, relay_, mechanisms_, log, config_.idle} {}

Adapter::~Adapter() = default;

absl::Status Adapter::Start(const std::vector<InheritedSocket>& inherited, LiveServer live) {
  ASSIGN_OR_RETURN(std::vector<ServerAddress> servers, ServerAddresses(config_));
  ASSIGN_OR_RETURN(surroundings_.max_connections, DescriptorsForConnections());
  absl::Status loaded = mechanisms_.Load();
  if (!loaded.ok() && !absl::IsNotFound(loaded)) {
    log_.warn("{}; greeting with the fallback until sasld tells its mechanisms",
              std::string(loaded.message()));
  }
  RETURN_IF_ERROR(Listen(inherited, live));
  client_ = std::make_unique<GrpcStepClient>(GrpcStepClient::Options{{}, config_.answer_within},
                                             ClientCallbacks());
  names_ =
      std::make_unique<ServerNames>(std::move(servers), ServerNames::AskSystem, NameCallbacks());
  relay_.SetClient(*client_);
  for (auto& listener : listeners_) listener->Start();
  metrics_ = std::make_unique<MetricsEndpoint>(config_.metrics, [this] {
    return AdapterMetrics({listeners_, relay_, *client_, started_});
  });
  metrics_->OpenOrTell(/*again=*/false, log_);
  TickLater();
  sd_notify(0, "READY=1");
  return absl::OkStatus();
}

absl::Status Adapter::Listen(const std::vector<InheritedSocket>& inherited, LiveServer live) {
  RETURN_IF_ERROR(CheckInherited(inherited, config_.listen));
  for (const ListenConfig& listen : config_.listen) {
    const auto passed = std::find_if(
        inherited.begin(), inherited.end(),
        [&listen](const InheritedSocket& one) { return one.path == listen.socket.path; });
    if (passed != inherited.end()) {
      listeners_.push_back(std::make_unique<Listener>(listen, passed->fd,
                                                      Listener::Holder::kAnother, surroundings_));
      log_.info("listening on {} ({}), which was passed to this process", listen.socket.path,
                listen.protocol->name);
      continue;
    }
    constexpr int kBacklog = 4096;  // the kernel caps it at net.core.somaxconn
    std::shared_ptr<FellowAdapter> predecessor;
    if (live == LiveServer::kLosesThePath && listen.protocol->claims_logins) {
      predecessor = FellowAdapter::ConnectTo(listen.socket.path, loop_);
    }
    ASSIGN_OR_RETURN(int descriptor, ListenUnix(listen.socket, kBacklog, live));
    listeners_.push_back(std::make_unique<Listener>(listen, descriptor,
                                                    Listener::Holder::kThisProcess, surroundings_));
    listeners_.back()->Follow(std::move(predecessor));
    log_.info("listening on {} ({})", listen.socket.path, listen.protocol->name);
  }
  return absl::OkStatus();
}

// All three come on the client's thread, which ends before anything they use, or on the loop's.
GrpcStepClient::Callbacks Adapter::ClientCallbacks() {
  return {
      .on_replies = [this](std::vector<v1::StepReply> replies) { relay_.Post(std::move(replies)); },
      .on_mechanisms =
          [this](const v1::ListMechanismsReply& mechanisms) {
            asio::post(loop_, [this, mechanisms] { Learn(mechanisms); });
          },
      .on_change = [this](const GrpcStepClient::Change& change) { LogChange(change); },
  };
}

ServerNames::Callbacks Adapter::NameCallbacks() {
  return {
      .on_servers =
          [this](std::vector<ServerAddress> servers) { client_->SetServers(std::move(servers)); },
      .on_failure =
          [this](std::string_view name, std::string_view why) {
            log_.error(
                "server.addresses: no address of {} could be found: {}. Trying again; "
                "what was found before is still used",
                name, why);
          },
  };
}

void Adapter::LogChange(const GrpcStepClient::Change& change) {
  using Kind = GrpcStepClient::Change::Kind;
  switch (change.kind) {
    case Kind::kConnected:
      return log_.info("connected to sasld at {}", change.server);
    case Kind::kLost:
      return log_.error("no connection to sasld at {}: {}. {} Trying again; {}", change.server,
                        change.why, Advice(change.server, change.why),
                        change.others_connected ? "logins go to the others meanwhile"
                                                : "without it logins fail as temporary");
    case Kind::kSilent:
      return log_.warn("sasld at {} is connected but does not answer; {}", change.server,
                       change.others_connected ? "logins go to the others meanwhile"
                                               : "logins wait, or fail as temporary");
    case Kind::kHeard:
      return log_.info("sasld at {} answers again", change.server);
  }
}

void Adapter::Learn(const v1::ListMechanismsReply& mechanisms) {
  absl::Status learned = mechanisms_.Learn(mechanisms);
  bool offers_nothing = absl::IsFailedPrecondition(learned);
  bool told_before = offers_nothing && std::exchange(offers_nothing_, offers_nothing);
  offers_nothing_ = offers_nothing;
  if (!learned.ok() && !told_before) log_.warn("mechanisms: {}", std::string(learned.message()));
}

void Adapter::HandleSignals(Reload reload) {
  reload_ = std::move(reload);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
  WaitForSignal();
}

void Adapter::WaitForSignal() {
  signals_.async_wait([this](const asio::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGINT && successor_) {
      Retire();
      return WaitForSignal();
    }
    if (signal != SIGHUP) return Stop();
    if (absl::StatusOr<AdapterConfig> config = reload_(); config.ok()) {
      TakeOver(*config);
    } else {
      log_.error("configuration not reloaded, the old one stays:\n{}",
                 std::string(config.status().message()));
    }
    WaitForSignal();
  });
}

void Adapter::TakeOver(const AdapterConfig& config) {
  // Also with the same names: certificates may have been renewed under them.
  bool tls = !config.server_tls.ca.empty();
  if (tls || config.server_addresses != config_.server_addresses) {
    absl::StatusOr<std::vector<ServerAddress>> servers = ServerAddresses(config);
    if (!servers.ok()) {
      log_.error("configuration not reloaded, the old one stays: {}",
                 std::string(servers.status().message()));
      return;
    }
    names_->Set(*std::move(servers));
    config_.server_addresses = config.server_addresses;
    config_.server_tls = config.server_tls;
  }
  log_.set_level(spdlog::level::from_str(config.log_level));
  log_.info("configuration reloaded: log level and servers");
  if (config.listen != config_.listen || config.answer_within != config_.answer_within ||
      config.idle != config_.idle || config.metrics != config_.metrics ||
      config.mechanisms_state_file != config_.mechanisms_state_file ||
      config.fallback_mechanisms.SerializeAsString() !=
          config_.fallback_mechanisms.SerializeAsString()) {
    log_.warn(
        "[[listen]], [limits], [mechanisms] and [metrics] were changed too: that takes a restart");
  }
}

void Adapter::TickLater() {
  tick_.expires_after(kTick);
  tick_.async_wait([this](const asio::error_code& error) {
    if (error) return;
    for (auto& listener : listeners_) listener->Tick(MonotonicNow());
    if (!retiring_) metrics_->OpenOrTell(/*again=*/true, log_);
    sd_notify(0, "WATCHDOG=1");  // the loop goes round
    TickLater();
  });
}

void Adapter::Run() { loop_.run(); }

void Adapter::RetireOnceReadable(int descriptor) {
  successor_.emplace(loop_, descriptor);
  successor_->async_wait(asio::posix::stream_descriptor::wait_read,
                         [this](const asio::error_code& error) {
                           if (!error) Retire();
                         });
}

void Adapter::Retire() {
  if (stopping_ || std::exchange(retiring_, true)) return;
  log_.info("taking no new connections, and going when the last one has gone");
  for (auto& listener : listeners_) listener->StopAccepting();
  metrics_->Close();  // its successor wants the address
  EndOnceAlone();
}

void Adapter::EndOnceAlone() {
  if (stopping_) return;
  if (surroundings_.connections == 0) return Stop();
  drain_.expires_after(kAloneTick);
  drain_.async_wait([this](const asio::error_code& error) {
    if (!error) EndOnceAlone();
  });
}

void Adapter::Stop() {
  asio::post(loop_, [this] {
    if (std::exchange(stopping_, true)) return;
    sd_notify(0, "STOPPING=1");
    log_.info("stopping: {} steps under way", relay_.steps_under_way());
    Drain(MonotonicNow());
  });
}

// Whether its clients may come for a login that only this process knows of.
bool Adapter::MayStillClaim(const Listener& listener, absl::Duration passed) const {
  return listener.claims_logins() &&
         (passed < kFirstRequestWithin || !surroundings_.dovecot_logins.empty());
}

// Whether all that is under way waits for mail clients.
bool Adapter::OnlyClientsAreAwaited() const {
  return relay_.steps_under_way() == 0 &&
         std::all_of(listeners_.begin(), listeners_.end(),
                     [](const auto& listener) { return listener->logins_asked_for() == 0; });
}

void Adapter::Drain(absl::Time began) {
  const absl::Duration passed = MonotonicNow() - began;
  for (auto& listener : listeners_) {
    if (MayStillClaim(*listener, passed)) continue;
    listener->StopAccepting();
    listener->EndQuiet(/*even_if_new=*/passed >= kFirstRequestWithin);
  }
  const bool out_of_time =
      passed >= kDrainWithin || (passed >= kClientsTurnWithin && OnlyClientsAreAwaited());
  if (surroundings_.connections == 0 || out_of_time) {
    // Some may wait yet at sockets that were served until now.
    for (auto& listener : listeners_) listener->StopAccepting();
  }
  if (surroundings_.connections == 0 || out_of_time) {
    for (auto& listener : listeners_) listener->GiveUp();
    return loop_.stop();
  }
  drain_.expires_after(kDrainTick);
  drain_.async_wait([this, began](const asio::error_code& error) {
    if (!error) Drain(began);
  });
}

}  // namespace sasld
