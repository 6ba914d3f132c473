#include "client/adapter/relay.h"

#include <string>
#include <utility>

#include "client/adapter/connection.h"

namespace sasld {

uint64_t Relay::Queue(Connection& connection, uint64_t exchange, v1::StepRequest&& request) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  if (++ids_given_ == 0) ++ids_given_;
  uint64_t id = uint64_t{ids_given_} << 32 | index;
  slots_[index] = {&connection, exchange, id};
  unanswered_.Add();
  request.set_correlation_id(id);
  steps_.push_back(std::move(request));
  ScheduleRoundEnd();
  return id;
}

Relay::Slot* Relay::Find(uint64_t correlation_id) {
  size_t index = correlation_id & 0xffffffff;
  if (index >= slots_.size() || slots_[index].correlation_id != correlation_id) return nullptr;
  return &slots_[index];
}

void Relay::Free(Slot& slot) {
  free_slots_.push_back(static_cast<uint32_t>(slot.correlation_id & 0xffffffff));
  slot = Slot();
  unanswered_.Subtract();
}

void Relay::Forget(uint64_t correlation_id) {
  if (Slot* slot = Find(correlation_id)) {
    slot->connection = nullptr;
    any_forgotten_ = true;
  }
}

void Relay::FlushLater(std::shared_ptr<Connection> connection) {
  touched_.push_back(std::move(connection));
  ScheduleRoundEnd();
}

// A handler that is posted now runs after those of all sockets that the loop has found ready.
void Relay::ScheduleRoundEnd() {
  if (std::exchange(round_end_due_, true)) return;
  asio::post(loop_, [this] { EndRound(); });
}

// Who is hung up on for what it sent shall not keep sasld busy with it.
void Relay::DropForgotten() {
  if (!any_forgotten_) return;
  any_forgotten_ = false;
  std::erase_if(steps_, [this](const v1::StepRequest& step) {
    Slot* slot = Find(step.correlation_id());
    if (slot->connection) return false;
    Free(*slot);
    return true;
  });
}

void Relay::EndRound() {
  round_end_due_ = false;
  DropForgotten();
  if (!steps_.empty()) {
    std::vector<v1::StepRequest> next;
    next.reserve(steps_.size());  // the next round is likely to be as large
    client_->Send(std::exchange(steps_, std::move(next)));
  }
  // Flush() may close a connection, but touches no other.
  for (const std::shared_ptr<Connection>& connection : touched_) connection->Flush();
  touched_.clear();
}

void Relay::Post(std::vector<v1::StepReply> replies) {
  bool first;
  {
    absl::MutexLock lock(&mutex_);
    first = inbox_.empty();
    inbox_.push_back(std::move(replies));
  }
  if (first) asio::post(loop_, [this] { TakeReplies(); });
}

void Relay::TakeReplies() {
  std::vector<std::vector<v1::StepReply>> batches;
  {
    absl::MutexLock lock(&mutex_);
    batches.swap(inbox_);
  }
  bool round_end_was_due = std::exchange(round_end_due_, true);
  for (std::vector<v1::StepReply>& batch : batches) {
    for (v1::StepReply& reply : batch) {
      Slot* slot = Find(reply.correlation_id());
      if (!slot) continue;
      const Slot taken = *slot;
      Free(*slot);
      if (reply.has_temporary() && log_.should_log(spdlog::level::debug)) {
        log_.debug("temporary failure: {}", reply.temporary().text());
      }
      if (taken.connection) taken.connection->TakeAnswer(taken.exchange, std::move(reply));
    }
  }
  // The answers leave now; steps that are queued for the round's end may gather until then.
  for (const std::shared_ptr<Connection>& connection : touched_) connection->Flush();
  touched_.clear();
  round_end_due_ = round_end_was_due;
  if (!steps_.empty() && !round_end_was_due) ScheduleRoundEnd();
}

}  // namespace sasld
