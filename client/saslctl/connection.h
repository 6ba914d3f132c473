// The way to sasld's admin socket.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "sasld/v1/admin.grpc.pb.h"
#include "sasld/v1/sasl.grpc.pb.h"

namespace sasld::saslctl {

// Tells, before a person types a password, whether a server listens at `server` ("unix:PATH").
// InvalidArgument: not such an address, or no socket. PermissionDenied: this user may not.
// Unavailable: nobody is there. Texts say what to do.
absl::Status CheckServer(const std::string& server);

// A gRPC status in saslctl's terms: the server's INVALID_ARGUMENT is a rule that forbids
// (FailedPrecondition), UNIMPLEMENTED means a socket without the admin service.
absl::Status FromGrpc(const grpc::Status& status, const std::string& server);

// Not thread-safe. Starts threads (gRPC's), so ask at the terminal before making one.
class Connection {
 public:
  // `timeout` is each call's deadline.
  Connection(const std::string& server, absl::Duration timeout);

  template <class Request, class Reply>
  absl::StatusOr<Reply> Call(grpc::Status (v1::Admin::Stub::*method)(grpc::ClientContext*,
                                                                     const Request&, Reply*),
                             const Request& request) {
    return Run<Reply>(*admin_, method, request);
  }
  template <class Request, class Reply>
  absl::StatusOr<Reply> Call(grpc::Status (v1::Sasl::Stub::*method)(grpc::ClientContext*,
                                                                    const Request&, Reply*),
                             const Request& request) {
    return Run<Reply>(*sasl_, method, request);
  }
  // Of a method that answers with many; `each` is given them as they come. It may take any time, so
  // it has no deadline.
  template <class Request, class Reply, class Each>
  absl::Status Stream(std::unique_ptr<grpc::ClientReader<Reply>> (v1::Admin::Stub::*method)(
                          grpc::ClientContext*, const Request&),
                      const Request& request, Each each) {
    grpc::ClientContext context;
    const std::unique_ptr<grpc::ClientReader<Reply>> replies =
        ((*admin_).*method)(&context, request);
    for (Reply reply; replies->Read(&reply);) each(reply);
    return FromGrpc(replies->Finish(), server_);
  }

 private:
  template <class Reply, class Stub, class Method, class Request>
  absl::StatusOr<Reply> Run(Stub& stub, Method method, const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(timeout_));
    Reply reply;
    if (grpc::Status status = (stub.*method)(&context, request, &reply); !status.ok()) {
      return FromGrpc(status, server_);
    }
    return reply;
  }

  const std::string server_;
  const absl::Duration timeout_;
  std::unique_ptr<v1::Admin::Stub> admin_;
  std::unique_ptr<v1::Sasl::Stub> sasl_;
};

}  // namespace sasld::saslctl
