#include "client/adapter/pacer.h"

#include <algorithm>
#include <utility>

#include "client/adapter/connection.h"

namespace sasld {
namespace {

constexpr std::chrono::milliseconds kRound(10);

}  // namespace

void Pacer::Await(std::weak_ptr<Connection> connection) {
  waiting_.push_back(std::move(connection));
  NextRoundLater();
}

void Pacer::HangUpLater(std::weak_ptr<Connection> connection) {
  hang_ups_.push_back({round_ + kRoundsToHangUp, std::move(connection)});
  NextRoundLater();
}

void Pacer::NextRoundLater() {
  if (std::exchange(round_due_, true)) return;
  timer_.expires_after(kRound);
  timer_.async_wait([this](const asio::error_code& error) {
    if (!error) BeginRound();
  });
}

void Pacer::BeginRound() {
  ++round_;
  round_due_ = false;
  while (!hang_ups_.empty() && hang_ups_.front().round <= round_) {
    std::shared_ptr<Connection> connection = hang_ups_.front().connection.lock();
    hang_ups_.pop_front();
    if (connection) connection->HangUp();
  }
  GrantTurns();
  if (!waiting_.empty() || !hang_ups_.empty()) NextRoundLater();
}

void Pacer::GrantTurns() {
  const auto turns = static_cast<uint32_t>(std::min<size_t>(waiting_.size(), kEachRound));
  // Who is granted too little comes back to the end of the queue meanwhile.
  for (uint32_t turn = 0; turn < turns; ++turn) {
    std::shared_ptr<Connection> connection = waiting_.front().lock();
    waiting_.pop_front();
    if (connection) connection->Grant(kEachRound / turns);
  }
}

}  // namespace sasld
