// Two adapters at one socket: a login that one of them has granted is claimed from either.
#include <gtest/gtest.h>

#include <asio.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapter_fixture.h"
#include "client/adapter/dovecot_master_client.h"
#include "client/adapter/fellow_adapter.h"

namespace sasld {
namespace {

using testing::AdapterTest;
using testing::FakeSaslServer;
using testing::kLogin;
using testing::Mta;
using testing::SuccessFor;
using testing::TemporaryFolder;

std::optional<v1::StepReply> LogInOrTell(const v1::StepRequest& request) {
  if (!request.has_account()) return SuccessFor("alice");
  v1::StepReply reply;
  reply.mutable_account()->set_status(v1::AccountAnswer::FOUND);
  reply.mutable_account()->set_name(request.account().name());
  return reply;
}

// Of a login process; returns the cookie.
std::string GreetAsLoginProcess(Mta& mta) {
  mta.Write("VERSION\t1\t2\nCPID\t590\n");
  std::string cookie;
  for (std::string line = mta.Line(); line != "DONE" && line[0] != '<'; line = mta.Line()) {
    if (line.starts_with("COOKIE\t")) cookie = line.substr(7);
  }
  return cookie;
}

void GreetAsMailProcess(Mta& mta) {
  mta.Write("VERSION\t1\t2\n");
  EXPECT_EQ(mta.Line(), "VERSION\t1\t4");
  EXPECT_EQ(mta.Line(), "SPID\t1");
}

void LogIn(Mta& mta) {
  mta.Write(std::string("AUTH\t1\t") + kLogin);
  EXPECT_EQ(mta.Line(), "OK\t1\tuser=alice");
}

std::string Claim(Mta& mta, const std::string& cookie) {
  mta.Write("REQUEST\t5\t590\t1\t" + cookie + "\n");
  return mta.Line();
}

// For so long an adapter that ends waits for what new clients may want, and for 1 s for all.
constexpr absl::Duration kNewClientsTurn = absl::Milliseconds(250);

constexpr char kAlice[] = "USER\t5\talice\tauth_mech=PLAIN";

class FellowTest : public AdapterTest {
 protected:
  ~FellowTest() override { StopSuccessor(); }
  std::string LoginPath() const { return folder_.File("login"); }
  std::string MasterPath() const { return folder_.File("master"); }
  std::string Sockets(const std::string& of_master = "") const {
    return "[[listen]]\nprotocol = \"dovecot-login\"\npath = \"" + LoginPath() +
           "\"\n[[listen]]\nprotocol = \"dovecot-master\"\npath = \"" + MasterPath() + "\"\n" +
           of_master;
  }
  void StartSuccessor(const std::string& of_master = "") {
    Launch("[server]\naddresses = [\"unix:" + SaslPath() + "\"]\n" + Sockets(of_master), {},
           LiveServer::kLosesThePath, successor_, successor_thread_);
  }
  void StopSuccessor() { End(successor_, successor_thread_); }

  FakeSaslServer server_{SaslPath(), LogInOrTell};
  std::unique_ptr<Adapter> successor_;
  std::thread successor_thread_;
};

TEST_F(FellowTest, WhatThePredecessorHasGrantedIsClaimedOnceFromTheSuccessor) {
  StartAdapter(Sockets());
  Mta login(LoginPath());
  const std::string cookie = GreetAsLoginProcess(login);
  LogIn(login);
  StartSuccessor();
  Mta mail(MasterPath());
  GreetAsMailProcess(mail);
  EXPECT_EQ(Claim(mail, cookie), kAlice);
  EXPECT_EQ(Claim(mail, cookie), "FAIL\t5");
}

TEST_F(FellowTest, WhatTheSuccessorHasGrantedIsClaimedOnceFromThePredecessor) {
  StartAdapter(Sockets());
  Mta mail(MasterPath());
  GreetAsMailProcess(mail);
  StartSuccessor();
  Mta login(LoginPath());
  const std::string cookie = GreetAsLoginProcess(login);
  LogIn(login);
  EXPECT_EQ(Claim(mail, cookie), kAlice);
  EXPECT_EQ(Claim(mail, cookie), "FAIL\t5");
}

TEST_F(FellowTest, AnAdapterAloneAsksNobody) {
  StartAdapter(Sockets());
  Mta login(LoginPath());
  const std::string cookie = GreetAsLoginProcess(login);
  Mta mail(MasterPath());
  GreetAsMailProcess(mail);
  EXPECT_EQ(Claim(mail, cookie), "FAIL\t5");
}

// Whoever may connect besides: the other adapter may.
TEST_F(FellowTest, AListOfUsersDoesNotKeepItOut) {
  const std::string rule = "allow_users = [\"" + std::to_string(geteuid() + 1) + "\"]\n";
  StartAdapter(Sockets(rule));
  Mta login(LoginPath());
  const std::string cookie = GreetAsLoginProcess(login);
  LogIn(login);
  StartSuccessor(rule);
  Mta mail(MasterPath());
  GreetAsMailProcess(mail);
  EXPECT_EQ(Claim(mail, cookie), kAlice);
}

TEST_F(FellowTest, APredecessorThatEndsIsAskedUntilAllIsClaimed) {
  StartAdapter(Sockets());
  auto login = std::make_unique<Mta>(LoginPath());
  const std::string cookie = GreetAsLoginProcess(*login);
  LogIn(*login);
  StartSuccessor();
  adapter_->Stop();
  absl::SleepFor(kNewClientsTurn);
  Mta mail(MasterPath());
  GreetAsMailProcess(mail);
  EXPECT_EQ(Claim(mail, cookie), kAlice);
}

TEST_F(FellowTest, AnAdapterThatEndsAloneServesWhoComesForALogin) {
  StartAdapter(Sockets());
  Mta login(LoginPath());
  const std::string cookie = GreetAsLoginProcess(login);
  LogIn(login);
  adapter_->Stop();
  absl::SleepFor(kNewClientsTurn);
  Mta mail(MasterPath());
  GreetAsMailProcess(mail);
  EXPECT_EQ(Claim(mail, cookie), kAlice);
  EXPECT_EQ(login.Line(), "<closed>");
  EXPECT_EQ(mail.Line(), "<closed>");
}

TEST_F(FellowTest, EndsThoughALoginIsNotClaimed) {
  StartAdapter(Sockets());
  Mta login(LoginPath());
  GreetAsLoginProcess(login);
  LogIn(login);
  StopAdapter();
  EXPECT_EQ(login.Line(), "<closed>");
}

TEST_F(FellowTest, WhoWaitsAtTheMasterSocketIsServedBeforeTheEnd) {
  for (int i = 0; i < 5; ++i) {
    StartAdapter(Sockets());
    std::vector<std::unique_ptr<Mta>> mails;
    for (int n = 0; n < 100; ++n) mails.push_back(std::make_unique<Mta>(MasterPath()));
    adapter_->Stop();  // some of them are not accepted yet
    for (auto& mail : mails) GreetAsMailProcess(*mail);
    for (auto& mail : mails) mail->Write("USER\t1\talice\tservice=lmtp\n");
    for (auto& mail : mails) ASSERT_EQ(mail->Line(), "USER\t1\talice");
    StopAdapter();
  }
}

// A predecessor whose part the test plays: it takes longer than mail clients are waited for.
TEST_F(FellowTest, AnAdapterThatEndsWaitsForItsFellow) {
  asio::io_context loop;
  asio::local::stream_protocol::acceptor fellow(loop, MasterPath());
  StartSuccessor();
  asio::local::stream_protocol::socket theirs(loop);
  fellow.accept(theirs);
  Mta mail(MasterPath());
  GreetAsMailProcess(mail);
  mail.Write("REQUEST\t5\t590\t1\t" + std::string(32, '0') + "\n");
  std::string heard;
  asio::read_until(theirs, asio::dynamic_buffer(heard), "relayed\n");
  successor_->Stop();
  absl::SleepFor(absl::Milliseconds(1500));
  asio::write(theirs, asio::buffer(std::string("VERSION\t1\t4\nSPID\t1\nUSER\t1\talice\n")));
  EXPECT_EQ(mail.Line(), "USER\t5\talice");
  EXPECT_EQ(mail.Line(), "<closed>");
}

// A fellow whose part the test plays.
class FellowAdapterTest : public ::testing::Test {
 protected:
  FellowAdapterTest() {
    fellow_ = FellowAdapter::ConnectTo(path_, loop_);
    acceptor_.accept(theirs_);
  }
  void Ask(const std::string& login) {
    fellow_->Ask(login, [this](const DovecotMasterAnswer& answer) {
      answers_.push_back(answer.command + answer.rest);
    });
  }
  void Say(const std::string& text) {
    asio::error_code ignored;  // it may have hung up
    asio::write(theirs_, asio::buffer(text), ignored);
    Poll();
  }
  void Poll() {
    loop_.restart();
    while (loop_.poll_one() != 0) {
    }
  }
  std::string Heard() {
    std::string heard(4096, '\0');
    heard.resize(theirs_.read_some(asio::buffer(heard)));
    return heard;
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.File("master");
  asio::io_context loop_;
  asio::local::stream_protocol::acceptor acceptor_{loop_, path_};
  asio::local::stream_protocol::socket theirs_{loop_};
  std::shared_ptr<FellowAdapter> fellow_;
  std::vector<std::string> answers_;
};

TEST_F(FellowAdapterTest, AsksAsAMailProcessDoes) {
  Ask("590\t1\tcookie");
  EXPECT_EQ(Heard(), "VERSION\t1\t4\nREQUEST\t1\t590\t1\tcookie\n");
  Say("VERSION\t1\t1\nSPID\t7\nUSER\t1\talice\tuid=5\n");
  EXPECT_EQ(answers_, std::vector<std::string>{"USER\talice\tuid=5"});
}

TEST_F(FellowAdapterTest, TakesAnswersInAnyOrderAndThoseOfNobodyNot) {
  for (const char* login : {"a", "b", "c"}) Ask(login);
  Say("VERSION\t1\t4\nSPID\t7\nNOTFOUND\t3\nUSER\t9\tbob\nUSER\t1\talice\nUSER\t1\tagain\n");
  EXPECT_EQ(answers_, (std::vector<std::string>{"NOTFOUND", "USER\talice"}));
  Say("FAIL\t2\treason=x\n");
  EXPECT_EQ(answers_.back(), "FAIL\treason=x");
  EXPECT_TRUE(fellow_->connected());
}

TEST_F(FellowAdapterTest, IsGoneForGood) {
  Ask("a");
  theirs_.close();
  Poll();
  EXPECT_EQ(answers_, std::vector<std::string>{"FAIL"});
  EXPECT_FALSE(fellow_->connected());
  Ask("b");
  EXPECT_EQ(answers_.size(), 2u);
  acceptor_.close();
  EXPECT_EQ(FellowAdapter::ConnectTo(path_, loop_), nullptr);
}

TEST_F(FellowAdapterTest, HangsUpOnWhoSpeaksSomethingElse) {
  for (const std::string& greeting :
       {std::string("MECH\tPLAIN\n"), std::string("VERSION\t2\t0\n"),
        std::string("VERSION\t1\t1\nUSER\tx\talice\n"), std::string("VERSION\t1\t1\nHELLO\n"),
        "VERSION\t1\t1\nUSER\t1\t" + std::string(8192, 'x')}) {
    asio::local::stream_protocol::socket next(loop_);
    fellow_ = FellowAdapter::ConnectTo(path_, loop_);
    acceptor_.accept(next);
    theirs_ = std::move(next);
    answers_.clear();
    Ask("a");
    Say(greeting);
    EXPECT_FALSE(fellow_->connected()) << greeting;
    EXPECT_EQ(answers_, std::vector<std::string>{"FAIL"}) << greeting;
  }
}

TEST_F(FellowAdapterTest, WaitsForSoManyTicksAndMayBeAskedAgain) {
  auto tick = [this](int times) {
    for (int i = 0; i < times; ++i) fellow_->Tick();
  };
  tick(10);  // nothing is asked
  Ask("a");
  tick(FellowAdapter::kPatience);
  Ask("b");
  Say("VERSION\t1\t1\nSPID\t7\nUSER\t1\talice\n");
  tick(FellowAdapter::kPatience);
  EXPECT_EQ(answers_, std::vector<std::string>{"USER\talice"});
  tick(1);
  EXPECT_EQ(answers_.back(), "FAIL");
  EXPECT_EQ(answers_.size(), 2u);
  Ask("c");
  Say("USER\t2\ttoo-late\nUSER\t3\tcarol\n");
  EXPECT_EQ(answers_.back(), "USER\tcarol");
  EXPECT_EQ(answers_.size(), 3u);
}

TEST_F(FellowAdapterTest, HangsUpOnWhoDoesNotRead) {
  for (size_t i = 0; i < FellowAdapter::kMaxAsked; ++i) Ask(std::string(4096, 'x'));
  for (int i = 0; i <= FellowAdapter::kPatience; ++i) fellow_->Tick();
  EXPECT_FALSE(fellow_->connected());
  EXPECT_EQ(answers_.size(), FellowAdapter::kMaxAsked);
}

TEST_F(FellowAdapterTest, AsksForSoManyAtOnce) {
  for (size_t i = 0; i < FellowAdapter::kMaxAsked; ++i) Ask("a");
  EXPECT_TRUE(answers_.empty());
  Ask("b");
  EXPECT_EQ(answers_, std::vector<std::string>{"FAIL"});
  EXPECT_TRUE(fellow_->connected());
}

TEST_F(FellowAdapterTest, KeepsWhatFindsNoRoomUntilThereIs) {
  const std::string login(4096, 'x');
  for (size_t i = 0; i < FellowAdapter::kMaxAsked; ++i) Ask(login);
  theirs_.non_blocking(true);
  size_t heard = 0;
  size_t wanted = std::string("VERSION\t1\t4\n").size();
  for (size_t i = 1; i <= FellowAdapter::kMaxAsked; ++i) {
    wanted += ("REQUEST\t" + std::to_string(i) + "\t" + login + "\n").size();
  }
  for (int tries = 0; heard < wanted && tries < 10'000; ++tries) {
    std::string bytes(65536, '\0');
    asio::error_code ignored;
    heard += theirs_.read_some(asio::buffer(bytes), ignored);
    Poll();
  }
  EXPECT_EQ(heard, wanted);
  EXPECT_TRUE(answers_.empty());
}

TEST_F(FellowAdapterTest, MayBeLetGoWhileItWaits) {
  Ask("a");
  fellow_.reset();
  Say("VERSION\t1\t1\n");
  EXPECT_TRUE(answers_.empty());
}

}  // namespace
}  // namespace sasld
