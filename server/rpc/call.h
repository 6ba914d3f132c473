// What the calls of an endpoint share: completion-queue tags that own what they work on.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "sasld/v1/sasl.grpc.pb.h"
#include "server/auth/account_lookups.h"
#include "server/auth/exchange.h"
#include "server/rpc/step_meter.h"

namespace sasld {

class StreamCall;
class WatchCall;

// What every call of one endpoint is given. Outlives them.
struct CallContext {
  v1::Sasl::AsyncService& service;
  grpc::health::v1::Health::AsyncService& health;
  grpc::ServerCompletionQueue& queue;
  Exchange& exchange;
  const AccountLookups* lookups;  // may be null
  StepMeter* meter;               // may be null
  // What is open. Used on the endpoint's thread alone.
  absl::flat_hash_set<StreamCall*> streams;
  absl::flat_hash_set<WatchCall*> watches;
  bool draining = false;
};

// A tag in the completion queue. Called on the endpoint's thread when its operation is over; `ok`
// as CompletionQueue::Next tells it.
class Tag {
 public:
  virtual ~Tag() = default;
  virtual void Proceed(bool ok) = 0;
};

// A tag that keeps its call alive while an operation is under way, and calls one of its methods
// when it is over. A member of the call, so that no operation allocates.
template <typename Call>
class OperationTag final : public Tag {
 public:
  using Method = void (Call::*)(bool ok);
  explicit OperationTag(Method method) : method_(method) {}

  // Hands the tag to an operation of `call`. One operation at a time.
  void* For(std::shared_ptr<Call> call) {
    call_ = std::move(call);
    return static_cast<Tag*>(this);
  }
  void Proceed(bool ok) override {
    const std::shared_ptr<Call> call = std::move(call_);
    ((*call).*method_)(ok);
  }

 private:
  const Method method_;
  std::shared_ptr<Call> call_;
};

// Calls `action` on the endpoint's thread at `time`, and goes away. On shutdown at once.
template <typename Action>
class DelayTag final : public Tag {
 public:
  static void Start(grpc::ServerCompletionQueue& queue, absl::Time time, Action action) {
    // Owns itself until the alarm has rung; the queue is drained to its end, so it always does.
    auto* tag = new DelayTag(std::move(action));
    tag->alarm_.Set(&queue, absl::ToChronoTime(time), static_cast<Tag*>(tag));
  }
  void Proceed(bool) override {
    std::move(action_)();
    delete this;
  }

 private:
  explicit DelayTag(Action action) : action_(std::move(action)) {}
  Action action_;
  grpc::Alarm alarm_;
};

// Each starts to wait for one call of its method; once that has come, for the next.
void AwaitStream(CallContext& context);
void AwaitStep(CallContext& context);
void AwaitListMechanisms(CallContext& context);
void AwaitHealthCheck(CallContext& context);
void AwaitHealthWatch(CallContext& context);

// Ends all open streams once what came in is answered, and tells those who watch the health. On the
// endpoint's thread, once.
void DrainStreams(CallContext& context);
void DrainWatches(CallContext& context);

}  // namespace sasld
