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
  if (waiting_.size() == 1) GrantLater();
}

void Pacer::GrantLater() {
  timer_.expires_after(kRound);
  timer_.async_wait([this](const asio::error_code& error) {
    if (!error) Grant();
  });
}

void Pacer::Grant() {
  const auto turns = static_cast<uint32_t>(std::min<size_t>(waiting_.size(), kEachRound));
  // Who is granted too little comes back to the end of the queue meanwhile.
  for (uint32_t turn = 0; turn < turns; ++turn) {
    std::shared_ptr<Connection> connection = waiting_.front().lock();
    waiting_.pop_front();
    if (connection) connection->Grant(kEachRound / turns);
  }
  if (!waiting_.empty()) GrantLater();
}

}  // namespace sasld
