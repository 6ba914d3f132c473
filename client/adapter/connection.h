// One mail server's connection: bytes between its socket and its session, answers from the relay.
//
// Lives on the event loop's thread. While it waits it holds no buffer: input is read into one that
// all connections share, output is freed once it has left.
#pragma once

#include <array>
#include <asio.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "client/adapter/protocol.h"
#include "client/adapter/relay.h"
#include "client/adapter/trust.h"
#include "sasld/v1/sasl.pb.h"

namespace sasld {

class Connection;

// What the connections of a loop share, each for the length of one handler.
struct LoopScratch {
  std::array<char, 65536> input;
  std::vector<ProtocolEvent> events;
};

// Who owns connections.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  // The connection has hung up, and is to be let go.
  virtual void Closed(Connection& connection) = 0;
  // It hung up, or is hung up on, with so many steps at sasld, which works on them for nobody.
  virtual void Abandoned(size_t steps) = 0;
  // The peer broke the protocol, and is heard no more. Connection::HangUp() is to be called. `why`
  // is static text.
  virtual void Violated(Connection& connection, std::string_view why) = 0;
  // It has begun more exchanges that came to nothing than it may. Connection::Grant() is to be
  // called when it is its turn.
  virtual void Exhausted(Connection& connection) = 0;
  // An exchange of it was begun, or sasld has answered a step that was not dropped.
  virtual void Began() = 0;
  virtual void Answered(const v1::StepReply& reply) = 0;
  // It wants to know of a login that another adapter may have granted. LoginAnswered() is to be
  // called, also if there is none.
  virtual void Wanted(Connection& connection, const LoginWanted& wanted) = 0;
  // Something that the administrator can mend. `what` is static text.
  virtual void Noticed(std::string_view what) = 0;
};

// shared_ptr carries it through waits of the loop that end after it was closed.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  // Reading stops while so much is unsent.
  static constexpr size_t kMaxUnsent = size_t{64} * 1024;
  // And while so many steps are under way, cancelled ones included. A client that floods then has a
  // few hundred of them before everybody else's, and waits for sasld like everybody else. What one
  // read brings comes on top.
  static constexpr size_t kMaxStepsUnderWay = 256;
  // Exchanges that it may begin at once; each that ends in a login gives back what it took, and so
  // does time (Tick()). More wait for the owner: see Pacer.
  static constexpr int32_t kMostBegun = 256;
  // Who does not take its output for so long is cut off.
  static constexpr absl::Duration kMaxStall = absl::Seconds(30);

  // The executor's concrete type: asio's usual one costs indirect calls at each wait.
  using Socket =
      asio::basic_stream_socket<asio::local::stream_protocol, asio::io_context::executor_type>;

  // All references must outlive the connection.
  Connection(Socket socket, std::unique_ptr<ProtocolSession> session, Trust trust,
             ConnectionOwner& owner, Relay& relay, LoopScratch& scratch);
  ~Connection();

  void Start();
  // Takes the answer to a step. Its output leaves with Flush(), which the relay calls.
  void TakeAnswer(uint64_t exchange, v1::StepReply&& reply);
  // Takes the answer to ConnectionOwner::Wanted(), at any time.
  void LoginAnswered(uint64_t exchange, const DovecotMasterAnswer& answer);
  // Sends what there is to be sent.
  void Flush();
  // Hangs up on it, after ConnectionOwner::Violated().
  void HangUp();
  // Lets it begin so many more exchanges, after ConnectionOwner::Exhausted().
  void Grant(uint32_t exchanges);
  // To be called every few seconds. Closes what stalls, and what was `idle` for longer.
  void Tick(absl::Time now, absl::Duration idle);
  // Ends the connection between two logins, for a process that is to end: what the client sends
  // from now on fails on its side at once, so that it connects again; what it has sent is answered.
  // Does nothing where something is under way, nor, unless `even_if_new`, where the client has not
  // asked anything yet: it may be about to. To be called again.
  void EndIfQuiet(bool even_if_new);
  // Ends it in any case: what is under way comes to nothing, which the client is told as the
  // protocol can.
  void GiveUp();
  void Close();

  // The owner's.
  size_t index = 0;
  bool is_fellow = false;  // another adapter's: see fellow_adapter.h

 private:
  struct StepUnderWay {
    uint64_t exchange;
    uint64_t correlation_id;
    bool dropped = false;  // the session does not wait for the answer any more
  };

  void WaitForInput();
  size_t MostToRead() const;
  void Read();
  void HandleEvents();
  void Handle(StepWanted& wanted);
  void Handle(ExchangeDropped& dropped);
  void Handle(CloseWanted& wanted);
  void Handle(Noticed& noticed);
  void Handle(LoginWanted& wanted);
  void FlushLater();
  // The client cannot send any more, and has all its answers.
  bool is_done() const { return at_end_ && steps_.empty() && logins_wanted_ == 0; }
  void ForgetSteps();
  std::vector<StepUnderWay>::iterator FindStep(uint64_t exchange);

  Socket socket_;
  std::unique_ptr<ProtocolSession> session_;
  const Trust trust_;
  ConnectionOwner& owner_;
  Relay& relay_;
  LoopScratch& scratch_;
  std::vector<StepUnderWay> steps_;
  size_t logins_wanted_ = 0;  // and not answered
  std::string output_;
  size_t sent_ = 0;                 // of output_
  int32_t may_begin_ = kMostBegun;  // below zero: so many of a read more than it may
  bool exhausted_ = false;          // and the owner knows
  bool lingers_ = false;            // likewise: it broke the protocol
  bool waiting_for_input_ = false;
  bool waiting_for_room_ = false;
  bool flush_due_ = false;
  bool closing_ = false;  // once output_ has left
  bool asked_ = false;    // the client has, once
  bool ending_ = false;   // the client cannot send any more
  bool at_end_ = false;   // likewise, and all that it sent was read
  bool heard_ = true;     // since the last tick
  absl::Time unsent_since_ = absl::InfiniteFuture();
  absl::Time idle_since_ = absl::InfiniteFuture();
};

}  // namespace sasld
