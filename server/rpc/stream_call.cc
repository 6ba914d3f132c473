#include "server/rpc/stream_call.h"

#include <utility>

#include "absl/time/clock.h"
#include "server/rpc/convert.h"

namespace sasld {

StreamCall::StreamCall(CallContext& context) : context_(context), stream_(&server_context_) {}

StreamCall::~StreamCall() = default;

void AwaitStream(CallContext& context) { std::make_shared<StreamCall>(context)->Await(); }

void DrainStreams(CallContext& context) {
  // Draining a stream takes it out of the set in time, not at once.
  for (StreamCall* stream : context.streams) stream->Drain();
}

void StreamCall::Await() {
  server_context_.AsyncNotifyWhenDone(ended_.For(shared_from_this()));
  context_.service.RequestStepStream(&server_context_, &stream_, &context_.queue, &context_.queue,
                                     called_.For(shared_from_this()));
}

void StreamCall::OnCalled(bool ok) {
  if (!ok) {
    // The server shuts down: this call never began, so gRPC will not tell of its end.
    ended_.For(nullptr);
    return;
  }
  AwaitStream(context_);
  context_.streams.insert(this);
  if (context_.meter) context_.meter->StreamOpened();
  absl::MutexLock lock(&mutex_);
  draining_ = context_.draining;
  stream_.Read(&incoming_, read_.For(shared_from_this()));
}

void StreamCall::OnEnded(bool) {
  if (context_.streams.erase(this) > 0 && context_.meter) context_.meter->StreamClosed();
  if (!server_context_.IsCancelled()) return;
  // Hashes that nobody waits for are not begun.
  gone_->store(true, std::memory_order_relaxed);
  absl::MutexLock lock(&mutex_);
  broken_ = true;
}

void StreamCall::OnRead(bool ok) {
  if (ok) TakeBatch();
  absl::MutexLock lock(&mutex_);
  if (!ok) no_more_input_ = true;
  // First the replies, then the next read: beginning a read makes gRPC grant the client new room at
  // once, in a packet of its own that wakes it for nothing, unless a write has just taken the grant
  // along.
  MoveOn();
  if (ok && !finishing_ && !broken_) stream_.Read(&incoming_, read_.For(shared_from_this()));
}

void StreamCall::TakeBatch() {
  {
    absl::MutexLock lock(&mutex_);
    taking_batch_ = true;
  }
  const absl::Time received = absl::Now();
  const bool too_many = incoming_.steps_size() > kMaxStepsPerBatch;
  for (v1::StepRequest& request : *incoming_.mutable_steps()) {
    bool full = false;
    {
      absl::MutexLock lock(&mutex_);
      full = ++under_way_ > kMaxUnderWay;
    }
    if (full || too_many) {
      TurnAway(request.correlation_id(), Undecided{"too many steps at once", true});
    } else {
      TakeStep(request, received);
    }
  }
  absl::MutexLock lock(&mutex_);
  taking_batch_ = false;
}

void StreamCall::TakeStep(v1::StepRequest& request, absl::Time received) {
  const uint64_t correlation_id = request.correlation_id();
  if (request.has_account()) return AnswerQuestion(request, received);
  if (BrokenLimit(request)) {
    return TurnAway(correlation_id, Refused{Refusal::kMalformed, "", received});
  }
  const absl::Duration budget = request.budget_milliseconds() == 0
                                    ? kDefaultBudget
                                    : absl::Milliseconds(request.budget_milliseconds());
  StepInput input = TakeStepInput(request, received, received + budget);
  input.caller_gone = gone_;
  context_.exchange.Step(std::move(input), received,
                         [self = shared_from_this(), correlation_id, received](StepResult result) {
                           self->Answer(correlation_id, received, std::move(result));
                         });
}

void StreamCall::TurnAway(uint64_t correlation_id, StepResult result) {
  if (context_.meter) context_.meter->TurnedAway();
  Reply(correlation_id, std::move(result));
}

void StreamCall::Answer(uint64_t correlation_id, absl::Time received, StepResult result) {
  const absl::Time now = absl::Now();
  if (context_.meter) context_.meter->Decided(result, now - received);
  const auto* refused = std::get_if<Refused>(&result);
  if (refused == nullptr || refused->not_before <= now) {
    Reply(correlation_id, std::move(result));
    return;
  }
  const absl::Time not_before = refused->not_before;
  auto reply = [self = shared_from_this(), correlation_id, result = std::move(result)]() mutable {
    self->Reply(correlation_id, std::move(result));
  };
  DelayTag<decltype(reply)>::Start(context_.queue, not_before, std::move(reply));
}

void StreamCall::Reply(uint64_t correlation_id, StepResult result) {
  absl::MutexLock lock(&mutex_);
  --under_way_;
  v1::StepReply& reply = *gathered_.add_replies();
  reply.set_correlation_id(correlation_id);
  FillReply(std::move(result), reply);
  MoveOn();
}

// A read of the store, in place like those of a step.
void StreamCall::AnswerQuestion(const v1::StepRequest& request, absl::Time now) {
  v1::StepReply reply;
  reply.set_correlation_id(request.correlation_id());
  FillAnswer(request.account(), context_.lookups, now, reply);
  absl::MutexLock lock(&mutex_);
  --under_way_;
  *gathered_.add_replies() = std::move(reply);
  MoveOn();
}

// Starts what can be started now: the next write, or the end.
void StreamCall::MoveOn() {
  // On a broken stream no operation is begun: the queue may be closing behind it.
  if (writing_ || taking_batch_ || finishing_ || broken_) return;
  if (gathered_.replies_size() > 0) {
    // Swapped, so that the memory of both is used again and again.
    outgoing_.Clear();
    outgoing_.Swap(&gathered_);
    writing_ = true;
    stream_.Write(outgoing_, written_.For(shared_from_this()));
    return;
  }
  if (under_way_ == 0 && (no_more_input_ || draining_)) {
    finishing_ = true;
    const grpc::Status status =
        no_more_input_ ? grpc::Status::OK
                       : grpc::Status(grpc::StatusCode::UNAVAILABLE, "sasld is stopping");
    stream_.Finish(status, finished_.For(shared_from_this()));
  }
}

void StreamCall::OnWritten(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  if (!ok) broken_ = true;
  MoveOn();
}

void StreamCall::OnFinished(bool) {}

void StreamCall::Drain() {
  absl::MutexLock lock(&mutex_);
  draining_ = true;
  MoveOn();
}

}  // namespace sasld
