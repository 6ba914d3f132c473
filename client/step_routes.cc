// The step client's decisions: which server a step goes to, whether to another as well, and when it
// is given up.
#include <algorithm>
#include <utility>

#include "client/grpc_step_client.h"
#include "client/made_failures.h"
#include "client/monotonic_time.h"

namespace sasld {
namespace {

// A server that is silent is told of again after this.
constexpr absl::Duration kTellSilenceAfter = absl::Minutes(1);

}  // namespace

v1::StepReply GrpcStepClient::MadeTemporaryFailure(uint64_t correlation_id, std::string_view text) {
  v1::StepReply reply;
  reply.set_correlation_id(correlation_id);
  reply.mutable_temporary()->set_text(text.data(), text.size());
  return reply;
}

void GrpcStepClient::TakeReplies(Server& server, v1::StepReplyBatch& batch, News& news) {
  news.replies.reserve(news.replies.size() + static_cast<size_t>(batch.replies_size()));
  for (v1::StepReply& reply : *batch.mutable_replies()) {
    auto found = steps_.find(reply.correlation_id());
    if (found == steps_.end()) continue;  // given up in the meantime, or another was faster
    Step& step = found->second;
    if (reply.has_temporary()) {
      if (!step.Leave(server.link.get())) continue;  // nobody waits for it any more
      if (reply.temporary().retry_elsewhere() && SendElsewhere(server, found->first, step)) {
        continue;
      }
      if (step.under_way_on) continue;  // another may know better
    }
    steps_.erase(found);
    news.replies.push_back(std::move(reply));
  }
}

bool GrpcStepClient::SendElsewhere(const Server& refuser, uint64_t id, Step& step) {
  if (++step.refusals >= servers_.size() || step.sends >= kMaxSends) return false;
  Server* other = servers_.NextAfter(refuser);
  if (!other) return false;
  if (other->link.get() == step.under_way_on) return true;
  (step.under_way_on ? step.also_on : step.under_way_on) = other->link.get();
  other->queue.push_back(id);
  Flush(*other, MonotonicNow());
  return true;
}

// Steps that were under way on a link which is gone wait for any server, unless another has them.
void GrpcStepClient::TakeBack(const ServerLink* lost, absl::Time now, News& news) {
  if (Server* server = servers_.Find(lost)) server->queue.clear();
  for (auto it = steps_.begin(); it != steps_.end();) {
    auto current = it++;
    Step& step = current->second;
    if (!step.Leave(lost) || step.under_way_on) continue;
    if (step.sends >= kMaxSends) {
      news.replies.push_back(MadeTemporaryFailure(current->first, kBrokenTooOftenText));
      steps_.erase(current);
    } else {
      waiting_.push_back(current->first);
    }
  }
  next_expiry_ = now;  // an outage shortens the time they have
  RouteWaiting();
  FlushAll(now);
}

void GrpcStepClient::RouteWaiting() {
  if (!servers_.FirstConnected()) return;
  for (uint64_t id : waiting_) {
    auto found = steps_.find(id);
    if (found == steps_.end()) continue;
    Server* server = servers_.Pick();
    found->second.under_way_on = server->link.get();
    server->queue.push_back(id);
    next_expiry_ = std::min(next_expiry_, AskTwiceAt(found->second));
  }
  waiting_.clear();
}

// True: one that has steps has become silent.
bool GrpcStepClient::NoteSilence(absl::Time now, News& news) {
  bool any = false;
  for (Server& server : servers_.all()) {
    const bool silent = server.link->silent();
    if (silent == server.silent) continue;
    server.silent = silent;
    any = any || silent;
    const bool tell = silent ? now - server.reported_silent_at > kTellSilenceAfter
                             : std::exchange(server.reported_silent, false);
    if (!tell || !server.link->connected()) continue;
    if (silent) {
      server.reported_silent = true;
      server.reported_silent_at = now;
    }
    news.changes.push_back({server.link->address().Text(),
                            silent ? Change::Kind::kSilent : Change::Kind::kHeard,
                            {},
                            servers_.connected() > 1});
  }
  return any;
}

// Silent servers may have gone for good or stopped for a moment: others are asked as well, and
// whoever answers first is right.
void GrpcStepClient::RelieveSilent(absl::Time now) {
  for (Server& server : servers_.all()) {
    if (!server.link->silent()) continue;
    for (auto& [id, step] : steps_) {
      if (step.under_way_on == server.link.get()) AskAnotherToo(id, step);
    }
  }
  FlushAll(now);
}

void GrpcStepClient::AskAnotherToo(uint64_t id, Step& step) {
  if (step.also_on || step.sends >= kMaxSends) return;
  Server* other = servers_.Another(step.under_way_on);
  if (!other) return;
  step.also_on = other->link.get();
  other->queue.push_back(id);
}

absl::Time GrpcStepClient::GiveUpAt(const Step& step) const {
  absl::Time end = step.arrived + give_up_after_;
  if (step.under_way_on) return end;
  return std::min(end, std::max(step.arrived + kOutageWait, outage_since_ + kOutage));
}

// Not before most refusals have come, which are held back for seconds; and so early that another
// server can still answer.
absl::Time GrpcStepClient::AskTwiceAt(const Step& step) const {
  if (servers_.size() < 2 || !step.under_way_on || step.also_on || step.asked_twice) {
    return absl::InfiniteFuture();
  }
  return step.arrived + give_up_after_ * 2 / 3;
}

void GrpcStepClient::Expire(absl::Time now, News& news) {
  next_expiry_ = absl::InfiniteFuture();
  bool any_asked_twice = false;
  for (auto it = steps_.begin(); it != steps_.end();) {
    auto current = it++;
    Step& step = current->second;
    absl::Time end = GiveUpAt(step);
    if (end > now) {
      if (step.under_way_on && now >= AskTwiceAt(step)) {
        step.asked_twice = true;
        AskAnotherToo(current->first, step);
        any_asked_twice = true;
      }
      next_expiry_ = std::min({next_expiry_, end, AskTwiceAt(step)});
      continue;
    }
    std::string_view why = step.under_way_on ? kNoAnswerText : kNoServerText;
    news.replies.push_back(MadeTemporaryFailure(current->first, why));
    steps_.erase(current);
  }
  if (waiting_.size() > steps_.size()) {
    std::erase_if(waiting_, [this](uint64_t id) {
      mutex_.AssertHeld();
      return !steps_.contains(id);
    });
  }
  if (any_asked_twice) FlushAll(now);
}

}  // namespace sasld
