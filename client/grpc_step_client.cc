#include "client/grpc_step_client.h"

#include <algorithm>
#include <utility>

#include "client/made_failures.h"
#include "client/monotonic_time.h"

namespace sasld {
namespace {

using Kind = ServerLink::Operation::Kind;

// From giving up here to the answer's arrival at the mail server's socket.
constexpr absl::Duration kLastMile = absl::Milliseconds(200);
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
    for (Server& server : servers_.all()) server.link->Retire();
    Wake();
  }
  thread_.join();
}

void GrpcStepClient::Send(std::vector<v1::StepRequest> steps) {
  News news;
  {
    absl::Time now = MonotonicNow();
    absl::MutexLock lock(&mutex_);
    for (v1::StepRequest& request : steps) {
      uint64_t id = request.correlation_id();
      if (steps_.size() >= max_steps_) {
        refused_.push_back(MadeTemporaryFailure(id, kTooManyStepsText));
        continue;
      }
      Step step{std::make_unique<v1::StepRequest>(std::move(request)), now};
      Server* server = servers_.Pick();
      if (server) step.under_way_on = server->link.get();
      next_expiry_ = std::min({next_expiry_, GiveUpAt(step), AskTwiceAt(step)});
      steps_.emplace(id, std::move(step));
      (server ? server->queue : waiting_).push_back(id);
    }
    absl::Time wanted_at = next_expiry_;
    for (Server& server : servers_.all()) {
      if (server.queue.empty()) continue;
      if (server.link->ready_to_write()) FlushAndReap(server, now, news);
      if (server.link->connected()) wanted_at = std::min(wanted_at, server.link->AskAt());
    }
    if (!waiting_.empty() || !refused_.empty() || wanted_at < sleeps_until_) Wake();
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
  // Asked before it is taken: with its last operation a connection goes, and all of them with it.
  const bool is_write =
      tag != &alarm_ && static_cast<ServerLink::Operation*>(tag)->kind == Kind::kWrite;
  Take(tag, ok, now, news);
  // Whatever else it was: what the thread waits for may have changed.
  if (!is_write) Wake();
}

void GrpcStepClient::SetServers(std::vector<ServerAddress> servers) {
  absl::MutexLock lock(&mutex_);
  Replace(std::move(servers));
  Wake();
}

void GrpcStepClient::Replace(std::vector<ServerAddress> servers) {
  absl::Time now = MonotonicNow();
  News none;  // no step is given up here: that is for steps whose stream broke under them
  for (std::unique_ptr<ServerLink>& link : servers_.Replace(std::move(servers))) {
    TakeBack(link.get(), now, none);
    retired_.push_back(std::move(link));
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
    callbacks_.on_change(change);
  }
  for (v1::ListMechanismsReply& mechanisms : news.mechanisms) callbacks_.on_mechanisms(mechanisms);
  if (!news.replies.empty()) callbacks_.on_replies(std::move(news.replies));
}

absl::Time GrpcStepClient::Advance(absl::Time now, News& news) {
  std::erase_if(retired_, [](const auto& link) { return link->idle(); });
  for (v1::StepReply& reply : refused_) news.replies.push_back(std::move(reply));
  refused_.clear();
  if (now >= next_expiry_) Expire(now, news);
  absl::Time next = absl::InfiniteFuture();
  for (Server& server : servers_.all()) next = std::min(next, server.link->Advance(now));
  if (NoteSilence(now, news)) {
    RelieveSilent(now);
    for (Server& server : servers_.all()) next = std::min(next, server.link->Advance(now));
  }
  return std::min(next, next_expiry_);
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
  Server* found = servers_.Find(&link);
  if (!found) return;  // retired: its steps were taken back
  Server& server = *found;

  if (told.replies) TakeReplies(server, *told.replies, news);
  if (was_connected != link.connected()) CountConnected(now);
  if (told.connected) {
    news.changes.push_back(
        {link.address().Text(), Change::Kind::kConnected, {}, servers_.connected() > 1});
  }
  if (was_connected && !link.connected()) TakeBack(&link, now, news);
  if (told.broken && !std::exchange(server.reported_broken, true)) {
    news.changes.push_back({link.address().Text(), Change::Kind::kLost, *std::move(told.broken),
                            servers_.connected() > 0});
  }
  if (told.connected) {
    server.reported_broken = false;
    RouteWaiting();
    RelieveSilent(now);
  }
  if (told.ready_to_write) Flush(server, now);
  if (told.mechanisms) {
    Server* first = servers_.FirstConnected();
    if (!first || first == &server) news.mechanisms.push_back(*std::move(told.mechanisms));
  }
}

void GrpcStepClient::FlushAll(absl::Time now) {
  for (Server& server : servers_.all()) Flush(server, now);
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
  server.link->Write(batch_.message(), now);
  batch_.TakeBack();
}

void GrpcStepClient::CountConnected(absl::Time now) {
  const size_t connected = servers_.connected();
  connected_links_.store(connected, std::memory_order_relaxed);
  known_links_.store(servers_.size(), std::memory_order_relaxed);
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

bool GrpcStepClient::AllIdle() { return !waking_ && retired_.empty() && servers_.idle(); }

}  // namespace sasld
