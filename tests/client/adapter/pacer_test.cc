// A connection and the pacer, on a loop that the test turns by hand.
#include "client/adapter/pacer.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "client/adapter/connection.h"
#include "client/adapter/mechanism_text.h"
#include "client/adapter/protocols.h"
#include "client/step_client.h"
#include "spdlog/sinks/null_sink.h"

namespace sasld {
namespace {

// Keeps what is asked; the test answers.
class Asked final : public StepClient {
 public:
  void Send(std::vector<v1::StepRequest> steps) override {
    for (v1::StepRequest& step : steps) open.push_back(step.correlation_id());
    count += steps.size();
  }
  bool Connected() const override { return true; }

  std::vector<uint64_t> open;
  size_t count = 0;
};

constexpr std::string_view kFacts =
    "\tLOGIN\tservice=smtp\trip=192.0.2.66\trport=40000\tlip=192.0.2.1\tlport=587\tsecured";
// What one read brings comes on top of what a connection may begin.
constexpr size_t kOfOneRead = 16384 / kFacts.size();
constexpr size_t kMost = size_t{Connection::kMostBegun} + kOfOneRead;

enum class Outcome { kSuccess, kChallenge, kFailure };

v1::StepReply Reply(uint64_t correlation_id, Outcome outcome) {
  v1::StepReply reply;
  reply.set_correlation_id(correlation_id);
  if (outcome == Outcome::kSuccess) {
    reply.mutable_success()->set_authcid("ann");
    reply.mutable_success()->set_authzid("ann");
  }
  if (outcome == Outcome::kChallenge) reply.mutable_challenge()->set_state("sealed");
  if (outcome == Outcome::kFailure) reply.mutable_failure();
  return reply;
}

class Pacing : public ::testing::Test, public ConnectionOwner {
 protected:
  Pacing() {
    relay_.SetClient(asked_);
    *mechanisms_.add_mechanisms() = ParseMechanism("PLAIN plaintext").value();
    *mechanisms_.add_mechanisms() = ParseMechanism("LOGIN plaintext").value();
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    client_ = ends[0];
    const SessionFacts facts{mechanisms_, TemporaryFailureWay::kAuto, 1, 1, {}};
    connection_ = std::make_shared<Connection>(
        Connection::Socket(loop_, asio::local::stream_protocol(), ends[1]),
        FindProtocol("dovecot-auth")->make_session(facts), Trust(), *this, relay_, *scratch_);
    connection_->Start();
    Say("VERSION\t1\t0\nCPID\t1\n");
    Turn();
  }
  ~Pacing() override {
    if (connection_) connection_->Close();
    close(client_);
  }

  void Closed(Connection&) override { closed_ = true; }
  void Abandoned(size_t) override {}
  void Violated(Connection&, std::string_view) override {
    ++violated_;
    if (pacer_) pacer_->HangUpLater(connection_);
  }
  void Exhausted(Connection&) override {
    ++exhausted_;
    if (pacer_) pacer_->Await(connection_);
  }
  void Began() override {}
  void Answered(const v1::StepReply&) override {}
  void Wanted(Connection&, const LoginWanted&) override {}
  void Noticed(std::string_view) override {}

  void Say(std::string_view text) {
    ASSERT_EQ(send(client_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  void Begin(size_t exchanges) {
    std::string lines;
    while (exchanges-- > 0) lines += "AUTH\t" + std::to_string(++id_) + std::string(kFacts) + "\n";
    Say(lines);
  }
  // Answers what is asked until nothing happens any more.
  void Turn(Outcome outcome = Outcome::kChallenge) {
    std::array<char, 65536> heard;
    do {
      loop_.restart();
      while (loop_.poll() > 0) {
      }
      std::vector<v1::StepReply> replies;
      for (uint64_t id : asked_.open) replies.push_back(Reply(id, outcome));
      asked_.open.clear();
      if (!replies.empty()) relay_.Post(std::move(replies));
      while (recv(client_, heard.data(), heard.size(), MSG_DONTWAIT) > 0) {
      }
      loop_.restart();
    } while (loop_.poll() > 0);
  }

  asio::io_context loop_{1};
  spdlog::logger log_{"test", std::make_shared<spdlog::sinks::null_sink_mt>()};
  Asked asked_;
  Relay relay_{loop_, log_};
  v1::ListMechanismsReply mechanisms_;
  std::unique_ptr<LoopScratch> scratch_ = std::make_unique<LoopScratch>();
  std::shared_ptr<Connection> connection_;
  int client_ = -1;
  int id_ = 0;
  int exhausted_ = 0;
  int violated_ = 0;
  std::optional<Pacer> pacer_;  // else the test grants
  bool closed_ = false;
};

TEST_F(Pacing, ExchangesThatComeToNothingHaveToWait) {
  Begin(2000);
  Turn(Outcome::kFailure);
  EXPECT_EQ(exhausted_, 1);
  EXPECT_GE(asked_.count, size_t{Connection::kMostBegun});
  EXPECT_LE(asked_.count, kMost);
}

TEST_F(Pacing, ExchangesThatAreLeftAfterTheFirstStepToo) {
  Begin(2000);
  Turn(Outcome::kChallenge);
  EXPECT_EQ(exhausted_, 1);
  EXPECT_LE(asked_.count, kMost);
}

TEST_F(Pacing, GoOnAsMuchAsIsGranted) {
  Begin(2000);
  Turn(Outcome::kFailure);
  const size_t before = asked_.count;
  connection_->Grant(Pacer::kEachRound + kOfOneRead);
  Turn(Outcome::kFailure);
  EXPECT_EQ(exhausted_, 2);
  EXPECT_GT(asked_.count, before);
  EXPECT_LE(asked_.count, kMost + Pacer::kEachRound + kOfOneRead);
}

TEST_F(Pacing, LoginsNeverWait) {
  for (int round = 0; round < 40; ++round) {
    Begin(100);
    Turn(Outcome::kSuccess);
  }
  EXPECT_EQ(exhausted_, 0);
  EXPECT_EQ(asked_.count, 4000U);
}

TEST_F(Pacing, TimeGivesBack) {
  for (int round = 0; round < 10; ++round) {
    Begin(200);
    Turn(Outcome::kFailure);
    connection_->Tick(absl::UnixEpoch() + absl::Seconds(5 * round), absl::Hours(1));
  }
  EXPECT_EQ(exhausted_, 0);
  EXPECT_EQ(asked_.count, 2000U);
}

TEST_F(Pacing, WhoBreaksTheProtocolIsHungUpOnLater) {
  Say(std::string(20000, 'A'));
  Turn();
  EXPECT_EQ(violated_, 1);
  EXPECT_FALSE(closed_);
  connection_->HangUp();
  EXPECT_TRUE(closed_);
}

TEST_F(Pacing, ThePacerHangsUpOnHim) {
  pacer_.emplace(loop_);
  Say(std::string(20000, 'A'));
  size_t rounds = 0;
  for (; !closed_; ++rounds) {
    Turn();
    loop_.restart();
    ASSERT_GT(loop_.run_one(), 0U);
  }
  EXPECT_GE(rounds, Pacer::kRoundsToHangUp);
}

TEST_F(Pacing, TheyTakeTurnsAndWhoHasGoneIsLeftOut) {
  Begin(2000);
  Turn(Outcome::kFailure);
  pacer_.emplace(loop_);
  pacer_->Await(std::weak_ptr<Connection>());
  pacer_->Await(connection_);
  while (asked_.count < 2000) {
    loop_.restart();
    ASSERT_GT(loop_.run_one(), 0U);
    Turn(Outcome::kFailure);
  }
  EXPECT_GT(exhausted_, 2);
}

}  // namespace
}  // namespace sasld
