// Between the connections and sasld: gives each step its correlation id, sends all steps of one
// round of the event loop in one go, and hands each reply to the connection that waits for it.
//
// All methods from the event loop's thread, but those that say otherwise.
#pragma once

#include <asio.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/step_client.h"
#include "proto/common/tally.h"
#include "sasld/v1/sasl.pb.h"
#include "spdlog/logger.h"

namespace sasld {

class Connection;

class Relay {
 public:
  // Both must outlive the relay.
  Relay(asio::io_context& loop, spdlog::logger& log) : loop_(loop), log_(log) {}
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Must come before the first Queue(); `client` must not be used after the loop has ended.
  void SetClient(StepClient& client) { client_ = &client; }

  // Queues a step for the end of the round; its correlation id is the result. The answer goes to
  // `connection`, which must Forget() before it goes.
  uint64_t Queue(Connection& connection, uint64_t exchange, v1::StepRequest&& request);
  // Nobody waits for the answer any more; if it has not been sent yet, it is not.
  void Forget(uint64_t correlation_id);
  // Calls connection->Flush() at the end of the round.
  void FlushLater(std::shared_ptr<Connection> connection);

  // Steps sent and not answered, forgotten ones included. Any thread.
  size_t steps_under_way() const { return unanswered_.value(); }

  // Takes replies, from any thread.
  void Post(std::vector<v1::StepReply> replies) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Slot {
    Connection* connection = nullptr;  // null: forgotten, or free
    uint64_t exchange = 0;
    uint64_t correlation_id = 0;  // 0: free
  };

  Slot* Find(uint64_t correlation_id);
  void Free(Slot& slot);
  void ScheduleRoundEnd();
  void EndRound();
  void DropForgotten();
  void TakeReplies() ABSL_LOCKS_EXCLUDED(mutex_);

  asio::io_context& loop_;
  spdlog::logger& log_;
  StepClient* client_ = nullptr;

  // A correlation id is a number used once and, in its low half, the slot.
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  uint32_t ids_given_ = 0;
  Tally unanswered_;

  std::vector<v1::StepRequest> steps_;                // of this round
  std::vector<std::shared_ptr<Connection>> touched_;  // of this round
  bool any_forgotten_ = false;                        // perhaps one of this round's
  bool round_end_due_ = false;

  absl::Mutex mutex_;
  std::vector<std::vector<v1::StepReply>> inbox_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sasld
