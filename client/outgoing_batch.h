// One StepBatch on its way out: borrows the requests it is made of for as long as a write takes, so
// that none is copied.
#pragma once

#include <cstddef>

#include "absl/time/time.h"
#include "sasld/v1/sasl.pb.h"

namespace sasld {

// Not thread-safe. Kept from write to write, for its memory.
class OutgoingBatch {
 public:
  OutgoingBatch() = default;
  ~OutgoingBatch() { TakeBack(); }
  OutgoingBatch(const OutgoingBatch&) = delete;
  OutgoingBatch& operator=(const OutgoingBatch&) = delete;

  // Whether the contract's limits, of steps or bytes, leave no room for another.
  bool full() const;
  bool empty() const { return batch_.steps().empty(); }
  // `request` is to be answered within `budget`; it must stay until TakeBack(). Not while full().
  void Lend(v1::StepRequest& request, absl::Duration budget);
  const v1::StepBatch& message() const { return batch_; }
  // Empty again; nothing borrowed is touched any more.
  void TakeBack();

 private:
  v1::StepBatch batch_;
  size_t bytes_ = 0;  // roughly
};

}  // namespace sasld
