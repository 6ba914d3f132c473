// One StepStream: a batch in, its steps to the exchange, replies out in batches of whatever
// gathered while the last write was under way.
#pragma once

#include <atomic>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/rpc/call.h"

namespace sasld {

class StreamCall final : public std::enable_shared_from_this<StreamCall> {
 public:
  explicit StreamCall(CallContext& context);
  ~StreamCall();
  StreamCall(const StreamCall&) = delete;
  StreamCall& operator=(const StreamCall&) = delete;

  void Await();
  // Ends the stream once all steps that came in are answered. On the endpoint's thread.
  void Drain();

 private:
  // Steps of one stream that may be under way; more are told to come back later.
  static constexpr size_t kMaxUnderWay = 65536;

  void OnCalled(bool ok);
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnEnded(bool ok);
  void OnFinished(bool ok);

  void TakeBatch();
  void TakeStep(v1::StepRequest& request, absl::Time received);
  // From any thread.
  void Answer(uint64_t correlation_id, absl::Time received, StepResult result);
  // Of a step that did not get to the exchange.
  void TurnAway(uint64_t correlation_id, StepResult result);
  void Reply(uint64_t correlation_id, StepResult result);
  void AnswerQuestion(const v1::StepRequest& request, absl::Time now);
  void MoveOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  CallContext& context_;
  grpc::ServerContext server_context_;
  grpc::ServerAsyncReaderWriter<v1::StepReplyBatch, v1::StepBatch> stream_;
  v1::StepBatch incoming_;
  v1::StepReplyBatch outgoing_;
  const std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);

  absl::Mutex mutex_;
  v1::StepReplyBatch gathered_ ABSL_GUARDED_BY(mutex_);
  size_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool taking_batch_ ABSL_GUARDED_BY(mutex_) = false;  // more replies are about to come
  bool no_more_input_ ABSL_GUARDED_BY(mutex_) = false;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;  // nothing can be written any more
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;

  OperationTag<StreamCall> called_{&StreamCall::OnCalled};
  OperationTag<StreamCall> read_{&StreamCall::OnRead};
  OperationTag<StreamCall> written_{&StreamCall::OnWritten};
  OperationTag<StreamCall> ended_{&StreamCall::OnEnded};
  OperationTag<StreamCall> finished_{&StreamCall::OnFinished};
};

}  // namespace sasld
