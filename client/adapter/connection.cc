#include "client/adapter/connection.h"

#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "client/adapter/dovecot_master_client.h"
#include "client/adapter/pacer.h"

namespace sasld {
namespace {

// Each has its turn after so much; and after less, where many steps are under way.
constexpr size_t kMostReadAtOnce = 16384;
constexpr size_t kMostReadOfTheBusy = 4096;
constexpr size_t kBusySteps = 64;
constexpr size_t kMostReadOfTheExhausted = 1024;

bool IsFirst(const v1::StepRequest& request) { return request.state().empty(); }

bool CameToSomething(const v1::StepReply& reply) {
  return reply.has_success() ||
         (reply.has_account() && reply.account().status() == v1::AccountAnswer::FOUND);
}

}  // namespace

Connection::Connection(Socket socket, std::unique_ptr<ProtocolSession> session, Trust trust,
                       ConnectionOwner& owner, Relay& relay, LoopScratch& scratch)
    : socket_(std::move(socket)),
      session_(std::move(session)),
      trust_(trust),
      owner_(owner),
      relay_(relay),
      scratch_(scratch) {}

Connection::~Connection() {
  for (const StepUnderWay& step : steps_) relay_.Forget(step.correlation_id);
}

void Connection::Start() {
  session_->Greet(output_);
  Flush();
  WaitForInput();
}

void Connection::WaitForInput() {
  if (waiting_for_input_ || closing_ || at_end_ || !socket_.is_open()) return;
  if (output_.size() - sent_ > kMaxUnsent) return;  // Flush() comes back here
  if (steps_.size() >= kMaxStepsUnderWay) return;   // TakeAnswer() does
  if (exhausted_) return;                           // Grant() does
  if (may_begin_ <= 0) {
    exhausted_ = true;
    return owner_.Exhausted(*this);
  }
  waiting_for_input_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const asio::error_code& error) {
    self->waiting_for_input_ = false;
    if (!error) self->Read();
  });
}

size_t Connection::MostToRead() const {
  if (may_begin_ <= static_cast<int32_t>(Pacer::kEachRound)) return kMostReadOfTheExhausted;
  return steps_.size() < kBusySteps ? kMostReadAtOnce : kMostReadOfTheBusy;
}

void Connection::Read() {
  if (closing_ || !socket_.is_open()) return;
  std::array<char, 65536>& input = scratch_.input;
  ssize_t count = ::recv(socket_.native_handle(), input.data(), MostToRead(), MSG_DONTWAIT);
  if (count == 0 && ending_) {
    at_end_ = true;
    return Flush();
  }
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return Close();
  if (count > 0) {
    heard_ = true;
    size_t bytes = static_cast<size_t>(count);
    session_->Receive({input.data(), bytes}, output_, scratch_.events);
    explicit_bzero(input.data(), bytes);  // PLAIN's passwords were in it
    HandleEvents();
  }
  WaitForInput();
}

void Connection::TakeAnswer(uint64_t exchange, v1::StepReply&& reply) {
  if (CameToSomething(reply)) may_begin_ = std::min(may_begin_ + 1, kMostBegun);
  bool dropped = false;
  if (auto step = FindStep(exchange); step != steps_.end()) {
    dropped = step->dropped;
    *step = steps_.back();
    steps_.pop_back();
    if (steps_.empty() && steps_.capacity() > 16) steps_ = {};
  }
  if (!dropped) {
    owner_.Answered(reply);
    session_->Answer(exchange, std::move(reply), output_, scratch_.events);
  }
  HandleEvents();
  WaitForInput();
}

void Connection::LoginAnswered(uint64_t exchange, const DovecotMasterAnswer& answer) {
  if (closing_) return;
  --logins_wanted_;
  if (answer.command == "USER") may_begin_ = std::min(may_begin_ + 1, kMostBegun);
  session_->LoginAnswered(exchange, answer, output_);
  FlushLater();
}

void Connection::HandleEvents() {
  for (ProtocolEvent& event : scratch_.events) {
    std::visit([this](auto& one) { Handle(one); }, event);
  }
  scratch_.events.clear();
  if ((output_.empty() && !closing_ && !is_done()) || waiting_for_room_) return;
  FlushLater();
}

void Connection::FlushLater() {
  if (!std::exchange(flush_due_, true)) relay_.FlushLater(shared_from_this());
}

void Connection::Handle(StepWanted& wanted) {
  asked_ = true;
  ClearUntrusted(trust_, wanted.request);
  if (IsFirst(wanted.request)) {
    --may_begin_;
    if (!wanted.request.has_account()) owner_.Began();
  }
  uint64_t id = relay_.Queue(*this, wanted.exchange, std::move(wanted.request));
  steps_.push_back({wanted.exchange, id});
}

// It still counts: sasld works on it.
void Connection::Handle(ExchangeDropped& dropped) {
  if (auto step = FindStep(dropped.exchange); step != steps_.end()) step->dropped = true;
}

void Connection::Handle(CloseWanted& wanted) {
  closing_ = true;
  ForgetSteps();
  if (wanted.why.empty()) return;
  // Hung up on at once, it would be back at once.
  lingers_ = true;
  owner_.Violated(*this, wanted.why);
}

void Connection::Handle(sasld::Noticed& noticed) { owner_.Noticed(noticed.what); }

void Connection::Handle(LoginWanted& wanted) {
  asked_ = true;
  --may_begin_;
  ++logins_wanted_;
  owner_.Wanted(*this, wanted);
}

std::vector<Connection::StepUnderWay>::iterator Connection::FindStep(uint64_t exchange) {
  return std::find_if(steps_.begin(), steps_.end(),
                      [exchange](const StepUnderWay& s) { return s.exchange == exchange; });
}

void Connection::Flush() {
  flush_due_ = false;
  if (!socket_.is_open() || waiting_for_room_) return;
  while (sent_ < output_.size()) {
    ssize_t count = ::send(socket_.native_handle(), output_.data() + sent_, output_.size() - sent_,
                           MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) return Close();
    if (count <= 0) break;
    sent_ += static_cast<size_t>(count);
    unsent_since_ = absl::InfiniteFuture();
  }
  if (sent_ == output_.size()) {
    output_ = std::string();  // gives the memory back
    sent_ = 0;
    if (closing_ && lingers_) return;  // HangUp() comes back here
    if (closing_ || is_done()) return Close();
    session_->Drained(scratch_.events);
    HandleEvents();
  } else {
    waiting_for_room_ = true;
    socket_.async_wait(Socket::wait_write,
                       [self = shared_from_this()](const asio::error_code& error) {
                         self->waiting_for_room_ = false;
                         if (!error) self->Flush();
                       });
  }
  WaitForInput();
}

void Connection::Grant(uint32_t exchanges) {
  exhausted_ = false;
  may_begin_ += static_cast<int32_t>(exchanges);
  WaitForInput();
}

void Connection::HangUp() {
  lingers_ = false;
  Flush();
}

void Connection::Tick(absl::Time now, absl::Duration idle) {
  session_->ForgetSilent(now);
  if (!exhausted_) may_begin_ = kMostBegun;
  if (!output_.empty()) {
    if (unsent_since_ == absl::InfiniteFuture()) unsent_since_ = now;
    if (now - unsent_since_ > kMaxStall) return Close();
  }
  if (std::exchange(heard_, false)) idle_since_ = now;
  if (steps_.empty() && logins_wanted_ == 0 && now - idle_since_ > idle) Close();
}

void Connection::EndIfQuiet(bool even_if_new) {
  if (ending_ || closing_ || !socket_.is_open()) return;
  if (!steps_.empty() || !output_.empty() || session_->InExchange()) return;
  if (!asked_ && !even_if_new) return;
  char next;
  if (::recv(socket_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT) > 0) return;
  ending_ = true;
  // A send(2) of the client's is either before this, and read, or fails with EPIPE.
  ::shutdown(socket_.native_handle(), SHUT_RD);
}

void Connection::GiveUp() {
  if (closing_ || !socket_.is_open()) return;
  // As in EndIfQuiet(): what was sent before is answered too.
  ::shutdown(socket_.native_handle(), SHUT_RD);
  std::array<char, 65536>& input = scratch_.input;
  for (ssize_t count;
       (count = ::recv(socket_.native_handle(), input.data(), input.size(), MSG_DONTWAIT)) > 0;) {
    session_->Receive({input.data(), static_cast<size_t>(count)}, output_, scratch_.events);
    explicit_bzero(input.data(), static_cast<size_t>(count));
  }
  session_->GiveUp(output_, scratch_.events);
  scratch_.events.clear();
  Flush();
  Close();
}

void Connection::Close() {
  if (!socket_.is_open()) return;
  closing_ = true;
  asio::error_code ignored;
  socket_.close(ignored);
  ForgetSteps();
  // Waits of the loop may keep this object for longer than what the session refers to.
  session_.reset();
  owner_.Closed(*this);
}

void Connection::ForgetSteps() {
  if (!steps_.empty()) owner_.Abandoned(steps_.size());
  for (const StepUnderWay& step : steps_) relay_.Forget(step.correlation_id);
  steps_ = {};
}

}  // namespace sasld
