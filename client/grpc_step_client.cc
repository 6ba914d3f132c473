#include "client/grpc_step_client.h"

#include <algorithm>
#include <utility>

#include "client/monotonic_time.h"

namespace sasld {
namespace {

using Kind = ServerLink::Operation::Kind;

// From giving up here to the answer's arrival at the mail server's socket.
constexpr absl::Duration kLastMile = absl::Milliseconds(200);

v1::StepReply MakeTemporaryFailure(uint64_t correlation_id, std::string_view text) {
  v1::StepReply reply;
  reply.set_correlation_id(correlation_id);
  reply.mutable_temporary()->set_text(text.data(), text.size());
  return reply;
}

gpr_timespec ToGpr(absl::Duration from_now) {
  int64_t nanoseconds = absl::ToInt64Nanoseconds(std::max(from_now, absl::ZeroDuration()));
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(nanoseconds, GPR_TIMESPAN));
}

}  // namespace

GrpcStepClient::GrpcStepClient(Options options, Callbacks callbacks)
    : give_up_after_(std::max(options.answer_within - kLastMile, options.answer_within / 2)),
      max_steps_(options.max_steps),
      callbacks_(std::move(callbacks)),
      outage_since_(MonotonicNow()) {
  {
    absl::MutexLock lock(&mutex_);
    Replace(std::move(options.servers));
  }
  thread_ = std::thread([this] { Run(); });  // joined in the destructor
}

GrpcStepClient::~GrpcStepClient() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    for (Server& server : servers_) server.link->Retire();
    Wake();
  }
  thread_.join();
}

void GrpcStepClient::Send(std::vector<v1::StepRequest> steps) {
  News news;
  {
    absl::Time now = MonotonicNow();
    absl::MutexLock lock(&mutex_);
    Server* server = FirstConnected();
    for (v1::StepRequest& request : steps) {
      uint64_t id = request.correlation_id();
      if (steps_.size() >= max_steps_) {
        refused_.push_back(MakeTemporaryFailure(id, "too many steps under way"));
        continue;
      }
      Step step{std::make_unique<v1::StepRequest>(std::move(request)), now};
      if (server) step.under_way_on = server->link.get();
      next_expiry_ = std::min(next_expiry_, GiveUpAt(step));
      steps_.emplace(id, std::move(step));
      (server ? server->queue : waiting_).push_back(id);
    }
    if (server && server->link->ready_to_write()) FlushAndReap(*server, now, news);
    if (!server || !refused_.empty() || next_expiry_ < sleeps_until_) Wake();
  }
  Deliver(std::move(news));
}

// A write mostly ends within the call that begins it. Its end is taken here, at once; else it would
// wake the client's thread, for which it means nothing.
void GrpcStepClient::FlushAndReap(Server& server, absl::Time now, News& news) {
  void* tag;
  bool ok;
  auto flush = [this, &server, now] {
    mutex_.AssertHeld();
    Flush(server, now);
  };
  auto status = queue_.DoThenAsyncNext(flush, &tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC));
  if (status != grpc::CompletionQueue::GOT_EVENT) return;
  Take(tag, ok, now, news);
  // Whatever else it was: what the thread waits for may have changed.
  if (tag == &alarm_ || static_cast<ServerLink::Operation*>(tag)->kind != Kind::kWrite) Wake();
}

void GrpcStepClient::SetServers(std::vector<ServerAddress> servers) {
  absl::MutexLock lock(&mutex_);
  Replace(std::move(servers));
  Wake();
}

void GrpcStepClient::Replace(std::vector<ServerAddress> servers) {
  absl::Time now = MonotonicNow();
  News none;  // no step is given up here: that is for steps whose stream broke under them
  for (Server& server : servers_) {
    server.link->Retire();
    TakeBack(server.link.get(), now, none);
    retired_.push_back(std::move(server.link));
  }
  servers_.clear();
  for (ServerAddress& address : servers) {
    servers_.push_back({std::make_unique<ServerLink>(std::move(address), queue_), {}});
  }
  CountConnected(now);
  for (v1::StepReply& reply : none.replies) refused_.push_back(std::move(reply));
}

void GrpcStepClient::Run() {
  while (true) {
    News news;
    absl::Time now = MonotonicNow();
    absl::Time next;
    {
      absl::MutexLock lock(&mutex_);
      next = sleeps_until_ = Advance(now, news);
      if (stopping_ && AllIdle()) break;
    }
    Deliver(std::move(news));
    void* tag;
    bool ok;
    // An infinite wait is cheaper for gRPC than a finite one.
    auto status = next == absl::InfiniteFuture()
                      ? (queue_.Next(&tag, &ok) ? grpc::CompletionQueue::GOT_EVENT
                                                : grpc::CompletionQueue::SHUTDOWN)
                      : queue_.AsyncNext(&tag, &ok, ToGpr(next - now));
    if (status != grpc::CompletionQueue::GOT_EVENT) continue;
    News done;
    {
      absl::MutexLock lock(&mutex_);
      Take(tag, ok, MonotonicNow(), done);
    }
    Deliver(std::move(done));
  }
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
  }
}

void GrpcStepClient::Deliver(News news) {
  for (Change& change : news.changes) {
    callbacks_.on_change(change.target, change.connected, change.why);
  }
  for (v1::ListMechanismsReply& mechanisms : news.mechanisms) callbacks_.on_mechanisms(mechanisms);
  if (!news.replies.empty()) callbacks_.on_replies(std::move(news.replies));
}

absl::Time GrpcStepClient::Advance(absl::Time now, News& news) {
  std::erase_if(retired_, [](const auto& link) { return link->idle(); });
  for (v1::StepReply& reply : refused_) news.replies.push_back(std::move(reply));
  refused_.clear();
  if (now >= next_expiry_) Expire(now, news);
  absl::Time next = next_expiry_;
  for (Server& server : servers_) next = std::min(next, server.link->Advance(now));
  return next;
}

void GrpcStepClient::Take(void* tag, bool ok, absl::Time now, News& news) {
  if (tag == &alarm_) {
    waking_ = false;
  } else {
    Complete(*static_cast<ServerLink::Operation*>(tag), ok, now, news);
  }
}

void GrpcStepClient::Complete(const ServerLink::Operation& operation, bool ok, absl::Time now,
                              News& news) {
  ServerLink& link = *operation.link;
  bool was_connected = link.connected();
  ServerLink::News told = link.Complete(operation.kind, ok, now);
  auto found = std::find_if(servers_.begin(), servers_.end(),
                            [&link](const Server& server) { return server.link.get() == &link; });
  if (found == servers_.end()) return;  // retired: its steps were taken back
  Server& server = *found;

  if (told.replies) TakeReplies(server, *told.replies, news);
  if (told.connected) news.changes.push_back({link.target(), true, {}});
  if (was_connected != link.connected()) CountConnected(now);
  if (was_connected && !link.connected()) TakeBack(&link, now, news);
  if (told.broken && !std::exchange(server.reported_broken, true)) {
    news.changes.push_back({link.target(), false, *std::move(told.broken)});
  }
  if (told.connected) {
    server.reported_broken = false;
    RouteWaiting();
  }
  if (told.ready_to_write) Flush(server, now);
  if (told.mechanisms) {
    Server* first = FirstConnected();
    if (!first || first == &server) news.mechanisms.push_back(*std::move(told.mechanisms));
  }
}

void GrpcStepClient::TakeReplies(Server& server, v1::StepReplyBatch& batch, News& news) {
  news.replies.reserve(news.replies.size() + static_cast<size_t>(batch.replies_size()));
  for (v1::StepReply& reply : *batch.mutable_replies()) {
    auto found = steps_.find(reply.correlation_id());
    if (found == steps_.end()) continue;  // given up in the meantime
    if (reply.temporary().retry_elsewhere() && SendElsewhere(server, found->first, found->second)) {
      continue;
    }
    steps_.erase(found);
    news.replies.push_back(std::move(reply));
  }
}

bool GrpcStepClient::SendElsewhere(const Server& refuser, uint64_t id, Step& step) {
  if (++step.refusals >= servers_.size() || step.sends >= kMaxSends) return false;
  size_t from = static_cast<size_t>(&refuser - servers_.data());
  for (size_t i = 1; i < servers_.size(); ++i) {
    Server& other = servers_[(from + i) % servers_.size()];
    if (!other.link->connected()) continue;
    step.under_way_on = other.link.get();
    other.queue.push_back(id);
    Flush(other, MonotonicNow());
    return true;
  }
  return false;
}

// Steps that were under way on a link which is gone wait for any server.
void GrpcStepClient::TakeBack(const ServerLink* lost, absl::Time now, News& news) {
  for (Server& server : servers_) {
    if (server.link.get() == lost) server.queue.clear();
  }
  for (auto it = steps_.begin(); it != steps_.end();) {
    auto current = it++;
    Step& step = current->second;
    if (step.under_way_on != lost) continue;
    step.under_way_on = nullptr;
    if (step.sends >= kMaxSends) {
      news.replies.push_back(MakeTemporaryFailure(current->first, "the stream broke too often"));
      steps_.erase(current);
    } else {
      waiting_.push_back(current->first);
    }
  }
  next_expiry_ = now;  // an outage shortens the time they have
  RouteWaiting();
  if (Server* server = FirstConnected()) Flush(*server, now);
}

void GrpcStepClient::RouteWaiting() {
  Server* server = FirstConnected();
  if (!server) return;
  for (uint64_t id : waiting_) {
    auto found = steps_.find(id);
    if (found == steps_.end()) continue;
    found->second.under_way_on = server->link.get();
    server->queue.push_back(id);
  }
  waiting_.clear();
}

void GrpcStepClient::Flush(Server& server, absl::Time now) {
  if (!server.link->ready_to_write() || server.queue.empty()) return;
  size_t taken = 0;
  while (taken < server.queue.size() && !batch_.full()) {
    auto found = steps_.find(server.queue[taken++]);
    if (found == steps_.end()) continue;  // given up in the meantime
    Step& step = found->second;
    ++step.sends;
    batch_.Lend(*step.request, step.arrived + give_up_after_ - now);
  }
  server.queue.erase(server.queue.begin(), server.queue.begin() + static_cast<ptrdiff_t>(taken));
  if (batch_.empty()) return;
  server.link->Write(batch_.message());
  batch_.TakeBack();
}

absl::Time GrpcStepClient::GiveUpAt(const Step& step) const {
  absl::Time end = step.arrived + give_up_after_;
  if (step.under_way_on) return end;
  return std::min(end, std::max(step.arrived + kOutageWait, outage_since_ + kOutage));
}

void GrpcStepClient::Expire(absl::Time now, News& news) {
  next_expiry_ = absl::InfiniteFuture();
  for (auto it = steps_.begin(); it != steps_.end();) {
    auto current = it++;
    absl::Time end = GiveUpAt(current->second);
    if (end > now) {
      next_expiry_ = std::min(next_expiry_, end);
      continue;
    }
    std::string_view why =
        current->second.under_way_on ? "no answer from sasld in time" : "no sasld could be reached";
    news.replies.push_back(MakeTemporaryFailure(current->first, why));
    steps_.erase(current);
  }
  if (waiting_.size() > steps_.size()) {
    std::erase_if(waiting_, [this](uint64_t id) {
      mutex_.AssertHeld();
      return !steps_.contains(id);
    });
  }
}

GrpcStepClient::Server* GrpcStepClient::FirstConnected() {
  for (Server& server : servers_) {
    if (server.link->connected()) return &server;
  }
  return nullptr;
}

void GrpcStepClient::CountConnected(absl::Time now) {
  auto connected = std::count_if(servers_.begin(), servers_.end(),
                                 [](const Server& server) { return server.link->connected(); });
  connected_links_.store(static_cast<int>(connected), std::memory_order_relaxed);
  if (connected > 0) {
    outage_since_ = absl::InfiniteFuture();
  } else if (outage_since_ == absl::InfiniteFuture()) {
    outage_since_ = now;
  }
}

void GrpcStepClient::Wake() {
  if (std::exchange(waking_, true)) return;
  alarm_.Set(&queue_, gpr_now(GPR_CLOCK_MONOTONIC), &alarm_);
}

bool GrpcStepClient::AllIdle() {
  return !waking_ && retired_.empty() &&
         std::all_of(servers_.begin(), servers_.end(),
                     [](const Server& server) { return server.link->idle(); });
}

}  // namespace sasld
