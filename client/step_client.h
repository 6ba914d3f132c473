// The way from a program to sasld: steps in, replies out, over one batched stream.
//
// A small interface so that adapter and server may one day share a process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "sasld/v1/sasl.pb.h"

namespace sasld {

// Sends steps, gets replies. All methods from one thread (the event loop's) unless said otherwise.
class StepClient {
 public:
  // Called on the client's own thread or within Send(), never under a lock of the client's. Takes
  // whole batches, so that the receiver wakes its loop once. Each step sent gets exactly one reply;
  // one that got none from any server within its budget gets a TemporaryFailure made here.
  using OnReplies = absl::AnyInvocable<void(std::vector<v1::StepReply>)>;
  // Called likewise whenever a server (re)connected and told its mechanisms.
  using OnMechanisms = absl::AnyInvocable<void(const v1::ListMechanismsReply&)>;

  virtual ~StepClient() = default;
  // Queues `steps`; they leave in one message when the stream is ready to write.
  virtual void Send(std::vector<v1::StepRequest> steps) = 0;
  // Whether a server is connected now. Any thread.
  virtual bool Connected() const = 0;
};

}  // namespace sasld
