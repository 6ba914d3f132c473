// Step and ListMechanisms: one request, one reply.
#include <atomic>
#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "server/rpc/call.h"
#include "server/rpc/convert.h"

namespace sasld {
namespace {

class StepCall final : public std::enable_shared_from_this<StepCall> {
 public:
  explicit StepCall(CallContext& context) : context_(context), writer_(&server_context_) {}

  void Await() {
    server_context_.AsyncNotifyWhenDone(ended_.For(shared_from_this()));
    context_.service.RequestStep(&server_context_, &request_, &writer_, &context_.queue,
                                 &context_.queue, called_.For(shared_from_this()));
  }

 private:
  void OnCalled(bool ok) {
    if (!ok) {
      ended_.For(nullptr);
      return;
    }
    AwaitStep(context_);
    if (const std::optional<std::string_view> broken = BrokenLimit(request_)) {
      if (context_.meter) context_.meter->TurnedAway();
      writer_.FinishWithError({grpc::StatusCode::INVALID_ARGUMENT, std::string(*broken)},
                              finished_.For(shared_from_this()));
      return;
    }
    const absl::Time received = absl::Now();
    reply_.set_correlation_id(request_.correlation_id());
    if (request_.has_account()) {
      FillAnswer(request_.account(), context_.lookups, received, reply_);
      return Finish();
    }
    StepInput input = TakeStepInput(request_, received, Deadline(received));
    input.caller_gone = gone_;
    context_.exchange.Step(std::move(input), received,
                           [self = shared_from_this(), received](StepResult result) {
                             self->Answer(received, std::move(result));
                           });
  }

  // A caller that set no deadline gets the default.
  absl::Time Deadline(absl::Time received) const {
    const auto deadline = server_context_.deadline();
    if (deadline == std::chrono::system_clock::time_point::max()) return received + kDefaultBudget;
    return absl::FromChrono(deadline);
  }

  void Answer(absl::Time received, StepResult result) {
    const absl::Time now = absl::Now();
    if (context_.meter) context_.meter->Decided(result, now - received);
    const auto* refused = std::get_if<Refused>(&result);
    const absl::Time not_before = refused ? refused->not_before : absl::InfinitePast();
    FillReply(std::move(result), reply_);
    if (not_before <= now) return Finish();
    auto finish = [self = shared_from_this()] { self->Finish(); };
    DelayTag<decltype(finish)>::Start(context_.queue, not_before, std::move(finish));
  }

  void Finish() {
    // Once the caller has gone no operation is begun: the queue may be closing.
    if (gone_->load(std::memory_order_relaxed)) return;
    writer_.Finish(reply_, grpc::Status::OK, finished_.For(shared_from_this()));
  }
  void OnFinished(bool) {}
  void OnEnded(bool) {
    if (server_context_.IsCancelled()) gone_->store(true, std::memory_order_relaxed);
  }

  CallContext& context_;
  grpc::ServerContext server_context_;
  grpc::ServerAsyncResponseWriter<v1::StepReply> writer_;
  v1::StepRequest request_;
  v1::StepReply reply_;
  const std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);
  OperationTag<StepCall> called_{&StepCall::OnCalled};
  OperationTag<StepCall> finished_{&StepCall::OnFinished};
  OperationTag<StepCall> ended_{&StepCall::OnEnded};
};

class ListMechanismsCall final : public std::enable_shared_from_this<ListMechanismsCall> {
 public:
  explicit ListMechanismsCall(CallContext& context)
      : context_(context), writer_(&server_context_) {}

  void Await() {
    context_.service.RequestListMechanisms(&server_context_, &request_, &writer_, &context_.queue,
                                           &context_.queue, called_.For(shared_from_this()));
  }

 private:
  void OnCalled(bool ok) {
    if (!ok) return;
    AwaitListMechanisms(context_);
    const ConnectionFacts facts = FactsOf(request_.connection());
    v1::ListMechanismsReply reply;
    FillMechanisms(context_.exchange.Offered(request_.has_connection() ? &facts : nullptr), reply);
    writer_.Finish(reply, grpc::Status::OK, finished_.For(shared_from_this()));
  }
  void OnFinished(bool) {}

  CallContext& context_;
  grpc::ServerContext server_context_;
  grpc::ServerAsyncResponseWriter<v1::ListMechanismsReply> writer_;
  v1::ListMechanismsRequest request_;
  OperationTag<ListMechanismsCall> called_{&ListMechanismsCall::OnCalled};
  OperationTag<ListMechanismsCall> finished_{&ListMechanismsCall::OnFinished};
};

}  // namespace

void AwaitStep(CallContext& context) { std::make_shared<StepCall>(context)->Await(); }

void AwaitListMechanisms(CallContext& context) {
  std::make_shared<ListMechanismsCall>(context)->Await();
}

}  // namespace sasld
