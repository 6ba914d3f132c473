#include "client/server_link.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/time/clock.h"

namespace sasld {
namespace {

using Kind = ServerLink::Operation::Kind;

// A new connection must answer within this, else the next attempt begins.
constexpr absl::Duration kConnectWithin = absl::Seconds(2);
// Mechanisms are asked for so often. This is the keep-alive too: gRPC's own pings would be
// counted against us by servers with its default settings.
constexpr absl::Duration kListEvery = absl::Seconds(5);
constexpr absl::Duration kListWithin = absl::Seconds(5);
// Who owes an answer and said nothing for so long is asked; who then says nothing for so long is
// silent. A login that waited for it has most of its time left.
constexpr absl::Duration kAskAfter = absl::Milliseconds(300);
constexpr absl::Duration kSilentAfter = absl::Milliseconds(500);
// A server that stops takes no new calls, but answers what it has: longer than sasld's patience.
constexpr absl::Duration kStoppingWithin = absl::Seconds(6);
constexpr absl::Duration kShortestBackoff = absl::Milliseconds(50);
constexpr absl::Duration kLongestBackoff = absl::Seconds(1);
// How long a stream may be idle without a read that would tell of its end.
constexpr absl::Duration kReadWithin = absl::Milliseconds(50);
// A connection that lived so long was a good one: the first retry after it is at once.
constexpr absl::Duration kGoodConnection = absl::Seconds(1);

std::shared_ptr<grpc::Channel> NewChannel(const ServerAddress& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_MINIMAL_STACK, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 1);  // the minimal stack leaves them out
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);          // steps are retried by the step client
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Each attempt is a connection of its own: gRPC's back-off would add to ours.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  if (!address.name.empty()) arguments.SetSslTargetNameOverride(address.name);
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  return grpc::CreateCustomChannel(address.target, address.credentials, arguments);
}

// Also mechanisms with channel binding: some mail servers can bring its data.
v1::ListMechanismsRequest EverythingOfferable() {
  v1::ListMechanismsRequest request;
  request.mutable_connection()->set_secured(true);
  request.mutable_connection()->set_can_bind(true);
  return request;
}

}  // namespace

// One connection, from connecting to the return of its last operation.
struct ServerLink::Attempt {
  explicit Attempt(const ServerAddress& address, ServerLink& link)
      : stub(v1::Sasl::NewStub(NewChannel(address))) {
    for (size_t i = 0; i < operations.size(); ++i) operations[i] = {&link, static_cast<Kind>(i)};
  }
  void* Begin(Kind kind) {
    ++under_way;
    return &operations[static_cast<size_t>(kind)];
  }

  std::unique_ptr<v1::Sasl::Stub> stub;
  std::array<Operation, 5> operations;
  int under_way = 0;
  bool broken = false;

  std::unique_ptr<grpc::ClientContext> list_context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::ListMechanismsReply>> list;
  v1::ListMechanismsReply list_reply;
  grpc::Status list_status;
  bool listing = false;

  grpc::ClientContext stream_context;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::StepBatch, v1::StepReplyBatch>> stream;
  v1::StepReplyBatch replies;
  bool reading = false;
  grpc::Status stream_status;
};

ServerLink::ServerLink(ServerAddress address, grpc::CompletionQueue& queue)
    : address_(std::move(address)), queue_(queue) {}

ServerLink::~ServerLink() = default;

absl::Time ServerLink::Advance(absl::Time now) {
  if (!attempt_ && !retired_) {
    if (now < next_attempt_) return next_attempt_;
    Connect(now);
  }
  if (!connected_) return absl::InfiniteFuture();
  absl::Time next = absl::InfiniteFuture();
  if (!attempt_->reading && now >= read_by_) Read();
  if (!attempt_->reading) next = read_by_;
  if (!attempt_->listing && now >= std::min(next_list_, AskAt())) List(kListWithin, now);
  if (!attempt_->listing) return std::min({next, next_list_, AskAt()});
  absl::Time silent_at = std::max(asked_, heard_) + kSilentAfter;
  silent_ = now >= silent_at;
  return silent_ ? next : std::min(next, silent_at);
}

absl::Time ServerLink::AskAt() const {
  if (unanswered_ == 0 || attempt_->listing) return absl::InfiniteFuture();
  return heard_ + kAskAfter;
}

void ServerLink::Connect(absl::Time now) {
  // Counted from the attempt's beginning, so that slow failures are not followed by a pause as
  // well.
  backoff_ = std::clamp(backoff_ * 2, kShortestBackoff, kLongestBackoff);
  next_attempt_ = now + backoff_;
  attempt_ = std::make_unique<Attempt>(address_, *this);
  List(kConnectWithin, now);
}

void ServerLink::List(absl::Duration within, absl::Time now) {
  Attempt& attempt = *attempt_;
  asked_ = now;
  attempt.listing = true;
  attempt.list_context = std::make_unique<grpc::ClientContext>();
  attempt.list_context->set_deadline(absl::ToChronoTime(absl::Now() + within));
  attempt.list =
      attempt.stub->AsyncListMechanisms(attempt.list_context.get(), EverythingOfferable(), &queue_);
  attempt.list->Finish(&attempt.list_reply, &attempt.list_status, attempt.Begin(Kind::kList));
}

void ServerLink::Write(const v1::StepBatch& batch, absl::Time now) {
  writing_ = true;
  if (unanswered_ == 0) heard_ = now;
  unanswered_ += static_cast<size_t>(batch.steps_size());
  attempt_->stream->Write(batch, attempt_->Begin(Kind::kWrite));
  if (!attempt_->reading) Read();
}

void ServerLink::Read() {
  attempt_->reading = true;
  attempt_->stream->Read(&attempt_->replies, attempt_->Begin(Kind::kRead));
}

void ServerLink::Retire() {
  retired_ = true;
  if (attempt_) HangUp();
}

void ServerLink::HangUp() {
  Attempt& attempt = *attempt_;
  attempt.broken = true;
  if (attempt.listing) attempt.list_context->TryCancel();
  if (attempt.stream) attempt.stream_context.TryCancel();
  // There must be something that comes back.
  if (connected_ && !attempt.reading) Read();
  Disconnected();
}

void ServerLink::Disconnected() {
  connected_ = silent_ = false;
  unanswered_ = 0;
}

void ServerLink::Hear(absl::Time now) {
  heard_ = now;
  silent_ = false;
}

ServerLink::News ServerLink::Complete(Kind kind, bool ok, absl::Time now) {
  News news;
  Attempt& attempt = *attempt_;
  --attempt.under_way;
  switch (kind) {
    case Kind::kList:
      CompleteList(ok, now, news);
      break;
    case Kind::kStart:
      if (ok && !attempt.broken) {
        connected_ = true;
        connected_since_ = now;
        Hear(now);
        news.connected = news.ready_to_write = true;
        Read();
      } else {  // Finish tells why
        attempt.stream->Finish(&attempt.stream_status, attempt.Begin(Kind::kFinish));
      }
      break;
    case Kind::kRead:
      CompleteRead(ok, now, news);
      break;
    case Kind::kWrite:
      writing_ = false;
      news.ready_to_write = connected_;  // after a failed one, the read fails too
      break;
    case Kind::kFinish:
      Break(attempt.stream_status.error_message().empty() ? "the server ended the stream"
                                                          : attempt.stream_status.error_message(),
            news);
      break;
  }
  if (attempt.under_way == 0 && attempt.broken) Settle(now);
  return news;
}

void ServerLink::CompleteList(bool ok, absl::Time now, News& news) {
  Attempt& attempt = *attempt_;
  attempt.listing = false;
  if (attempt.broken) return;
  if (ok && IsStopping(attempt.list_status, now)) return Hear(now);
  if (!ok || !attempt.list_status.ok()) return Break(attempt.list_status.error_message(), news);
  Hear(now);
  next_list_ = now + kListEvery;
  news.mechanisms = std::move(attempt.list_reply);
  attempt.list_reply.Clear();
  if (attempt.stream) return;
  attempt.stream = attempt.stub->PrepareAsyncStepStream(&attempt.stream_context, &queue_);
  attempt.stream->StartCall(attempt.Begin(Kind::kStart));
}

void ServerLink::CompleteRead(bool ok, absl::Time now, News& news) {
  Attempt& attempt = *attempt_;
  attempt.reading = false;
  if (!ok) {
    Disconnected();  // at once: what is queued now had better go elsewhere
    attempt.stream->Finish(&attempt.stream_status, attempt.Begin(Kind::kFinish));
    return;
  }
  news.replies.emplace();
  news.replies->Swap(&attempt.replies);
  Hear(now);
  // A server that says more than it was asked owes nothing.
  unanswered_ -= std::min(unanswered_, static_cast<size_t>(news.replies->replies_size()));
  // Beginning a read makes gRPC grant the server new room at once, in a packet of its own that
  // wakes the server for nothing. When no reply is to come, the next write takes the grant along.
  if (unanswered_ > 0 || attempt.broken) {
    Read();
  } else {
    read_by_ = now + kReadWithin;
  }
}

// The call was turned away while the stream goes on: what was written to it is still answered.
bool ServerLink::IsStopping(const grpc::Status& status, absl::Time now) {
  if (!connected_ || status.error_code() != grpc::StatusCode::UNAVAILABLE) return false;
  if (stopping_since_ == absl::InfiniteFuture()) stopping_since_ = now;
  next_list_ = now + kAskAfter;
  return now - stopping_since_ < kStoppingWithin;
}

void ServerLink::Break(std::string why, News& news) {
  if (attempt_->broken) return;
  news.broken = std::move(why);
  HangUp();
}

void ServerLink::Settle(absl::Time now) {
  attempt_.reset();
  writing_ = false;
  if (connected_since_ != absl::InfinitePast() && now - connected_since_ > kGoodConnection) {
    backoff_ = absl::ZeroDuration();
    next_attempt_ = now;
  }
  connected_since_ = absl::InfinitePast();
  stopping_since_ = absl::InfiniteFuture();
}

}  // namespace sasld
