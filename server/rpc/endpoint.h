// One gRPC server: the Sasl service and health on a completion queue, and what else it is given.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/common/unix_socket.h"
#include "server/auth/account_lookups.h"
#include "server/auth/exchange.h"
#include "server/rpc/step_meter.h"

namespace sasld {

struct EndpointOptions {
  std::vector<SocketFile> sockets;
  std::vector<std::string> tcp;  // served with `tls` only
  std::shared_ptr<grpc::ServerCredentials> tls;
  const AccountLookups* lookups = nullptr;  // null: questions about accounts are forbidden
  grpc::Service* extra = nullptr;           // a synchronous service served beside Sasl; borrowed
  // Serves reflection too. It is synchronous, and such a service brings threads that take part in
  // every wake-up: 40 % more CPU for a lone login. Endpoints that are started after one with it
  // have it as well.
  bool reflection = false;
  StepMeter* meter = nullptr;  // null: nobody wants to know
};

// Starts one thread. Thread-safe where said.
class Endpoint {
 public:
  // AlreadyExists: a live server has one of the sockets. FailedPrecondition, Unavailable,
  // PermissionDenied: an address cannot be served; the text says which and why.
  static absl::StatusOr<std::unique_ptr<Endpoint>> Start(Exchange& exchange,
                                                         EndpointOptions options);
  // Drains without patience if nobody did before. No step may be on the lane any more: close it
  // first.
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // Takes no new calls, answers the steps that came in, ends the streams, and at `deadline` cancels
  // what is left. From any thread but the endpoint's own.
  void Drain(absl::Time deadline);

  // Whether its thread has been round since this was asked last, or nobody has asked yet: a thread
  // that hangs serves nobody. To be asked now and then, by one thread that is not the endpoint's.
  bool IsAlive();

 private:
  struct Core;
  explicit Endpoint(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
  std::thread thread_;
};

}  // namespace sasld
