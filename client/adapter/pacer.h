// Who begins exchanges by the thousand that come to nothing waits for the rest of them, and nobody
// else for him.
//
// Each connection may begin some hundred at once and some tens each second; a login gives back what
// it took. So a mail server never notices, not even one that brings hundreds of guesses a second of
// strangers over one connection. Who has used his up is read again as the pacer lets him begin
// more: all of them together a thousand each second, in turns. Those who broke the protocol are
// hung up on a little later: they come again.
//
// On the event loop's thread.
#pragma once

#include <asio.hpp>
#include <cstdint>
#include <deque>
#include <memory>

namespace sasld {

class Connection;

class Pacer {
 public:
  // Of all who wait together, each 10 ms: 1000 a second, which cost sasld and adapter a twentieth
  // of a processor, more or less.
  static constexpr uint32_t kEachRound = 10;

  // 0.1 s.
  static constexpr uint64_t kRoundsToHangUp = 10;

  explicit Pacer(asio::io_context& loop) : timer_(loop) {}
  Pacer(const Pacer&) = delete;
  Pacer& operator=(const Pacer&) = delete;

  // Calls Connection::Grant() once, when its turn has come; not if it has gone.
  void Await(std::weak_ptr<Connection> connection);
  // Calls Connection::HangUp() after kRoundsToHangUp; not if it has gone.
  void HangUpLater(std::weak_ptr<Connection> connection);

 private:
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>,
                                           asio::io_context::executor_type>;

  struct HangUp {
    uint64_t round;
    std::weak_ptr<Connection> connection;
  };

  void NextRoundLater();
  void BeginRound();
  void GrantTurns();

  Timer timer_;
  bool round_due_ = false;
  uint64_t round_ = 0;
  std::deque<std::weak_ptr<Connection>> waiting_;
  std::deque<HangUp> hang_ups_;  // in order of rounds
};

}  // namespace sasld
