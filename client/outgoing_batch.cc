#include "client/outgoing_batch.h"

#include <algorithm>
#include <cstdint>

namespace sasld {
namespace {

constexpr int kMaxStepsInBatch = 4096;  // sasl.proto, StepBatch
// Below gRPC's default limit of 4 MiB for a message received.
constexpr size_t kMaxBatchBytes = 1 << 20;

size_t RoughSize(const v1::StepRequest& step) {
  return 256 + step.state().size() + step.response().size() + step.response_base64().size();
}

}  // namespace

bool OutgoingBatch::full() const {
  return batch_.steps_size() >= kMaxStepsInBatch || bytes_ >= kMaxBatchBytes;
}

void OutgoingBatch::Lend(v1::StepRequest& request, absl::Duration budget) {
  // Zero would mean the server's default.
  request.set_budget_milliseconds(
      static_cast<uint32_t>(std::max<int64_t>(1, absl::ToInt64Milliseconds(budget))));
  bytes_ += RoughSize(request);
  batch_.mutable_steps()->UnsafeArenaAddAllocated(&request);
}

void OutgoingBatch::TakeBack() {
  auto& steps = *batch_.mutable_steps();
  while (!steps.empty()) steps.UnsafeArenaReleaseLast();
  bytes_ = 0;
}

}  // namespace sasld
