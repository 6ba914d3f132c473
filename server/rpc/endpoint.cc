#include "server/rpc/endpoint.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "proto/common/status_macros.h"
#include "sasld/v1/sasl.grpc.pb.h"
#include "server/rpc/call.h"

namespace sasld {
namespace {

// sasl.proto, StepBatch.
constexpr int kMaxMessageBytes = 4 * 1024 * 1024;
// The synchronous service is the administrators'.
constexpr int kMaxSynchronousThreads = 16;
// Who has not said in this time, by TLS and HTTP/2, that it is a caller, is hung up on: gRPC's 2
// minutes would let strangers collect descriptors. Callers of ours take milliseconds.
constexpr int kHandshakeMilliseconds = 5000;

}  // namespace

struct Endpoint::Core {
  std::vector<SocketFile> sockets;
  v1::Sasl::AsyncService service;
  grpc::health::v1::Health::AsyncService health;
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<CallContext> calls;
  bool drained = false;
  std::atomic<bool> went_round = true;
};

absl::StatusOr<std::unique_ptr<Endpoint>> Endpoint::Start(Exchange& exchange,
                                                          EndpointOptions options) {
  auto core = std::make_unique<Core>();
  // gRPC's switch holds for all servers that are built from now on, in this process.
  if (options.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  std::vector<std::pair<std::string, int>> ports;  // address, and 0 if it could not be bound
  ports.reserve(options.sockets.size() + options.tcp.size());
  for (const SocketFile& socket : options.sockets) {
    RETURN_IF_ERROR(ClearStaleSocket(socket.path));
    auto& port = ports.emplace_back(absl::StrCat("unix:", socket.path), 0);
    builder.AddListeningPort(port.first, grpc::InsecureServerCredentials(), &port.second);
  }
  for (const std::string& address : options.tcp) {
    auto& port = ports.emplace_back(address, 0);
    builder.AddListeningPort(port.first, options.tls, &port.second);
  }
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMilliseconds);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 1);
  builder.SetResourceQuota(grpc::ResourceQuota("endpoint").SetMaxThreads(kMaxSynchronousThreads));
  builder.RegisterService(&core->service);
  builder.RegisterService(&core->health);
  if (options.extra) builder.RegisterService(options.extra);
  core->queue = builder.AddCompletionQueue();
  core->server = builder.BuildAndStart();
  for (const auto& [address, bound] : ports) {
    if (core->server && bound != 0) continue;
    if (core->server) core->server->Shutdown();
    core->queue->Shutdown();
    return absl::UnavailableError(absl::StrCat(
        address, ": cannot listen there; is the folder there and writable, or the port in use?"));
  }
  core->sockets = std::move(options.sockets);
  core->calls = std::make_unique<CallContext>(CallContext{core->service,
                                                          core->health,
                                                          *core->queue,
                                                          exchange,
                                                          options.lookups,
                                                          options.meter,
                                                          {},
                                                          {},
                                                          false});
  auto endpoint = std::unique_ptr<Endpoint>(new Endpoint(std::move(core)));
  for (const SocketFile& socket : endpoint->core_->sockets) {
    RETURN_IF_ERROR(ApplySocketFile(socket));
  }
  return endpoint;
}

Endpoint::Endpoint(std::unique_ptr<Core> core) : core_(std::move(core)) {
  AwaitStream(*core_->calls);
  AwaitStep(*core_->calls);
  AwaitListMechanisms(*core_->calls);
  AwaitHealthCheck(*core_->calls);
  AwaitHealthWatch(*core_->calls);
  thread_ = std::thread([&queue = *core_->queue] {
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) static_cast<Tag*>(tag)->Proceed(ok);
  });
}

Endpoint::~Endpoint() {
  Drain(absl::Now());
  core_->queue->Shutdown();
  thread_.join();
}

bool Endpoint::IsAlive() {
  if (!core_->went_round.exchange(false)) return false;
  auto go_round = [&went_round = core_->went_round] { went_round = true; };
  DelayTag<decltype(go_round)>::Start(*core_->queue, absl::Now(), go_round);
  return true;
}

void Endpoint::Drain(absl::Time deadline) {
  if (std::exchange(core_->drained, true)) return;
  auto drain = [&calls = *core_->calls] {
    calls.draining = true;
    DrainStreams(calls);
    DrainWatches(calls);
  };
  DelayTag<decltype(drain)>::Start(*core_->queue, absl::Now(), drain);
  core_->server->Shutdown(absl::ToChronoTime(deadline));
}

}  // namespace sasld
