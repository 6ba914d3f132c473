// grpc.health.v1: Check and Watch.
#include <memory>
#include <string_view>
#include <utility>

#include "server/rpc/call.h"

namespace sasld {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

bool IsServedHere(std::string_view service) {
  return service.empty() || service == "sasld.v1.Sasl" || service == "grpc.health.v1.Health";
}

HealthCheckResponse::ServingStatus StatusNow(const CallContext& context) {
  return context.draining ? HealthCheckResponse::NOT_SERVING : HealthCheckResponse::SERVING;
}

class CheckCall final : public std::enable_shared_from_this<CheckCall> {
 public:
  explicit CheckCall(CallContext& context) : context_(context), writer_(&server_context_) {}

  void Await() {
    context_.health.RequestCheck(&server_context_, &request_, &writer_, &context_.queue,
                                 &context_.queue, called_.For(shared_from_this()));
  }

 private:
  void OnCalled(bool ok) {
    if (!ok) return;
    AwaitHealthCheck(context_);
    HealthCheckResponse response;
    response.set_status(StatusNow(context_));
    const grpc::Status status =
        IsServedHere(request_.service())
            ? grpc::Status::OK
            : grpc::Status(grpc::StatusCode::NOT_FOUND, "this server has no such service");
    writer_.Finish(response, status, finished_.For(shared_from_this()));
  }
  void OnFinished(bool) {}

  CallContext& context_;
  grpc::ServerContext server_context_;
  grpc::ServerAsyncResponseWriter<HealthCheckResponse> writer_;
  HealthCheckRequest request_;
  OperationTag<CheckCall> called_{&CheckCall::OnCalled};
  OperationTag<CheckCall> finished_{&CheckCall::OnFinished};
};

}  // namespace

// Lives until its caller goes or the server drains. On the endpoint's thread alone.
class WatchCall final : public std::enable_shared_from_this<WatchCall> {
 public:
  explicit WatchCall(CallContext& context) : context_(context), writer_(&server_context_) {}

  void Await() {
    server_context_.AsyncNotifyWhenDone(ended_.For(shared_from_this()));
    context_.health.RequestWatch(&server_context_, &request_, &writer_, &context_.queue,
                                 &context_.queue, called_.For(shared_from_this()));
  }

  // Tells that the server stops, and ends.
  void Drain() {
    if (std::exchange(ending_, true)) return;
    HealthCheckResponse response;
    response.set_status(HealthCheckResponse::NOT_SERVING);
    writer_.WriteAndFinish(response, grpc::WriteOptions(), grpc::Status::OK,
                           finished_.For(shared_from_this()));
  }

 private:
  void OnCalled(bool ok) {
    if (!ok) {
      ended_.For(nullptr);
      return;
    }
    AwaitHealthWatch(context_);
    HealthCheckResponse response;
    response.set_status(IsServedHere(request_.service()) ? StatusNow(context_)
                                                         : HealthCheckResponse::SERVICE_UNKNOWN);
    writer_.Write(response, written_.For(shared_from_this()));
  }
  void OnWritten(bool ok) {
    // From here on the call is kept by `ended_`, until the caller goes.
    if (!ok || ending_) return;
    context_.watches.insert(this);
    if (context_.draining) Drain();
  }
  void OnEnded(bool) {
    ending_ = true;
    context_.watches.erase(this);
  }
  void OnFinished(bool) {}

  CallContext& context_;
  grpc::ServerContext server_context_;
  grpc::ServerAsyncWriter<HealthCheckResponse> writer_;
  HealthCheckRequest request_;
  bool ending_ = false;
  OperationTag<WatchCall> called_{&WatchCall::OnCalled};
  OperationTag<WatchCall> written_{&WatchCall::OnWritten};
  OperationTag<WatchCall> ended_{&WatchCall::OnEnded};
  OperationTag<WatchCall> finished_{&WatchCall::OnFinished};
};

void AwaitHealthCheck(CallContext& context) { std::make_shared<CheckCall>(context)->Await(); }

void AwaitHealthWatch(CallContext& context) { std::make_shared<WatchCall>(context)->Await(); }

void DrainWatches(CallContext& context) {
  for (WatchCall* watch : context.watches) watch->Drain();
}

}  // namespace sasld
