// The whole adapter on its sockets, with a fake sasld behind it.
#include "client/adapter/adapter.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "adapter_fixture.h"
#include "client/monotonic_time.h"

namespace sasld {
namespace {

using testing::AdapterTest;
using testing::ChallengeOf;
using testing::Difference;
using testing::FakeSaslServer;
using testing::kLogin;
using testing::Mta;
using testing::OpenDescriptors;
using testing::StaySilent;
using testing::Succeed;
using testing::SuccessFor;

TEST_F(AdapterTest, GreetsWhileSasldIsAway) {
  StartAdapter();
  EXPECT_EQ(Mta(Path()).Greeting(),
            "MECH\tSCRAM-SHA-256\tmutual-auth|MECH\tPLAIN\tplaintext|MECH\tLOGIN\tplaintext|DONE|");
}

TEST_F(AdapterTest, GreetsWithWhatSasldOffersAndRemembersIt) {
  std::string state = "[mechanisms]\nstate_file = \"" + folder_.File("mechanisms") + "\"\n";
  auto server = std::make_unique<FakeSaslServer>(SaslPath(), Succeed);
  server->SetMechanisms({"CRAM-MD5 dictionary active"});
  StartAdapter("", state);
  WaitForMechanisms("CRAM-MD5");
  server.reset();
  EXPECT_EQ(Mta(Path()).Greeting(), "MECH\tCRAM-MD5\tdictionary\tactive|DONE|");
  StopAdapter();
  StartAdapter("", state);
  EXPECT_EQ(Mta(Path()).Greeting(), "MECH\tCRAM-MD5\tdictionary\tactive|DONE|");
}

TEST_F(AdapterTest, LogsIn) {
  FakeSaslServer server(SaslPath(), Succeed);
  StartAdapter();
  Mta mta(Path());
  mta.Handshake(0);
  mta.Write(std::string("AUTH\t1\t") + kLogin);
  EXPECT_EQ(mta.Line(), "OK\t1\tuser=alice");
  mta.Write(std::string("AUTH\t2\t") + kLogin);
  EXPECT_EQ(mta.Line(), "OK\t2\tuser=alice");
}

TEST_F(AdapterTest, HangsUpOnPostfixInsteadOfRefusingWhenSasldIsAway) {
  StartAdapter("", "[limits]\nanswer_within = \"600ms\"\n");
  Mta postfix(Path());
  postfix.Handshake(0);
  absl::Time sent = MonotonicNow();
  postfix.Write(std::string("AUTH\t1\t") + kLogin);
  EXPECT_EQ(postfix.Line(), "<closed>");
  EXPECT_LT(MonotonicNow() - sent, absl::Milliseconds(600));

  Mta dovecot(Path());
  dovecot.Handshake(2);
  dovecot.Write(std::string("AUTH\t1\t") + kLogin);
  EXPECT_EQ(dovecot.Line(), "FAIL\t1\ttemp\tcode=temp_fail");
}

TEST_F(AdapterTest, CarriesAnExchangeOverARestartOfSasld) {
  auto step = [](const v1::StepRequest& request) {
    return request.state().empty() ? ChallengeOf("", "sealed") : SuccessFor(request.state());
  };
  auto server = std::make_unique<FakeSaslServer>(SaslPath(), step);
  StartAdapter();
  Mta mta(Path());
  mta.Handshake(0);
  mta.Write("AUTH\t1\tPLAIN\tservice=smtp\n");
  EXPECT_EQ(mta.Line(), "CONT\t1\t");
  server.reset();
  mta.Write("CONT\t1\tAGFsaWNlAHNlY3JldA==\n");
  absl::SleepFor(absl::Seconds(1));
  server = std::make_unique<FakeSaslServer>(SaslPath(), step);
  EXPECT_EQ(mta.Line(), "OK\t1\tuser=sealed");
}

TEST_F(AdapterTest, TakesLinesInSingleBytes) {
  FakeSaslServer server(SaslPath(), Succeed);
  StartAdapter();
  Mta mta(Path());
  for (char c : std::string("VERSION\t1\t0\nCPID\t1\nAUTH\t1\t") + kLogin) {
    mta.Write(std::string(1, c));
  }
  mta.Greeting();
  EXPECT_EQ(mta.Line(), "OK\t1\tuser=alice");
}

TEST_F(AdapterTest, AnswersManyRequestsOfOneWriteAndOfManyConnections) {
  FakeSaslServer server(SaslPath(), Succeed);
  StartAdapter();
  constexpr int kRequests = 500;
  std::vector<std::unique_ptr<Mta>> mtas;
  for (int i = 0; i < 20; ++i) {
    mtas.push_back(std::make_unique<Mta>(Path()));
    mtas.back()->Handshake(2);
    std::string lines;
    for (int id = 1; id <= kRequests; ++id) lines += "AUTH\t" + std::to_string(id) + "\t" + kLogin;
    mtas.back()->Write(lines);
  }
  for (auto& mta : mtas) {
    std::vector<std::string> answers;
    for (int id = 1; id <= kRequests; ++id) answers.push_back(mta->Line());
    std::sort(answers.begin(), answers.end());
    EXPECT_EQ(std::unique(answers.begin(), answers.end()), answers.end());
    for (const std::string& answer : answers) EXPECT_EQ(answer.substr(0, 3), "OK\t");
  }
}

TEST_F(AdapterTest, OutlivesThousandsOfConnectionsOpenedAndDropped) {
  FakeSaslServer server(SaslPath(), StaySilent);
  StartAdapter();
  {
    // Once a step has come through, both ends of the way to sasld are open and stay so.
    Mta mta(Path());
    mta.Handshake(0);
    mta.Write(std::string("AUTH\t1\t") + kLogin);
    ASSERT_TRUE(server.WaitForSteps(1));
  }
  const std::vector<std::string> before = OpenOnceClientsAreGone();
  for (int i = 0; i < 3000; ++i) {
    Mta mta(Path());
    if (i % 3 == 1) mta.Write("VERSION\t1\t0\nCPID\t1\nAUTH\t1\tPLA");
    if (i % 3 == 2) mta.Write(std::string("VERSION\t1\t0\nCPID\t1\nAUTH\t1\t") + kLogin);
  }
  EXPECT_NE(Mta(Path()).Greeting(), "");
  EXPECT_EQ(Difference(before, OpenOnceClientsAreGone()), "");
}

TEST_F(AdapterTest, HangsUpOnJunkAndServesOthers) {
  FakeSaslServer server(SaslPath(), Succeed);
  StartAdapter();
  Mta junk(Path());
  junk.Greeting();
  junk.Write(std::string(1 << 20, 'x'));
  EXPECT_EQ(junk.Line(), "<closed>");
  Mta binary(Path());
  binary.Handshake(0);
  binary.Write(std::string("\0\x01\xff\n\n", 5));
  EXPECT_EQ(binary.Line(), "<closed>");
  Mta mta(Path());
  mta.Handshake(0);
  mta.Write(std::string("AUTH\t1\t") + kLogin);
  EXPECT_EQ(mta.Line(), "OK\t1\tuser=alice");
  StopAdapter();
  EXPECT_NE(log_text_.str().find("a client broke the protocol and was disconnected"),
            std::string::npos);
}

TEST_F(AdapterTest, StopsReadingFromWhoDoesNotRead) {
  StartAdapter();
  Mta mta(Path());
  mta.Handshake(2);
  // Each is answered at once, without sasld, and longer than it is.
  std::string line = "CONT\t4294967295\t\n";
  std::string flood;
  while (flood.size() < (4 << 20)) flood += line;
  size_t written = 0;
  for (int quiet = 0; quiet < 50 && written < flood.size();) {
    size_t count = mta.WriteSome(std::string_view(flood).substr(written));
    written += count;
    quiet = count == 0 ? quiet + 1 : 0;
    if (count == 0) absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_LT(written, flood.size()) << "the adapter took all of it";
  Mta other(Path());
  EXPECT_NE(other.Greeting(), "");
  for (size_t i = 0; i < written / line.size(); ++i) {
    ASSERT_EQ(mta.Line(), "FAIL\t4294967295\treason=Authentication request timed out") << i;
  }
}

TEST_F(AdapterTest, StopsReadingWhileManyStepsAreUnderWay) {
  absl::Notification go_on;
  FakeSaslServer sasld(SaslPath(), [&go_on](const v1::StepRequest&) {
    go_on.WaitForNotification();
    return SuccessFor("alice");
  });
  StartAdapter();
  Mta mta(Path());
  mta.Handshake(1);
  constexpr int kLines = 10000;
  std::thread writer([&mta] {
    for (int id = 1; id <= kLines; ++id) mta.Write("AUTH\t" + std::to_string(id) + "\t" + kLogin);
  });
  EXPECT_TRUE(sasld.WaitForSteps(1));
  absl::SleepFor(absl::Milliseconds(200));
  go_on.Notify();
  for (int id = 1; id <= kLines; ++id) EXPECT_EQ(mta.Line().substr(0, 3), "OK\t");
  writer.join();
  int most = 0;
  for (int size : sasld.batches()) most = std::max(most, size);
  EXPECT_LT(most, 800);  // 256, and a read more
}

TEST_F(AdapterTest, KeepsSasldOutOfItWhereItHangsUpAtOnce) {
  FakeSaslServer sasld(SaslPath(), Succeed);
  StartAdapter();
  Mta mta(Path());
  mta.Handshake(1);
  mta.Write("AUTH\t1\t" + std::string(kLogin) + "AUTH\t2\t" + kLogin + "JUNK\n");
  EXPECT_EQ(mta.Line(), "<closed>");
  Mta other(Path());
  other.Handshake(1);
  other.Write("AUTH\t3\t" + std::string(kLogin));
  EXPECT_EQ(other.Line(), "OK\t3\tuser=alice");
  EXPECT_EQ(sasld.steps().size(), 1u);
}

TEST_F(AdapterTest, LetsConnectionsOverTheLimitWait) {
  StartAdapter("max_connections = 2\n");
  auto first = std::make_unique<Mta>(Path());
  Mta second(Path());
  EXPECT_NE(first->Greeting(), "");
  EXPECT_NE(second.Greeting(), "");
  Mta third(Path());
  first.reset();
  EXPECT_NE(third.Greeting(), "");
}

TEST_F(AdapterTest, AnswersWhatIsUnderWayBeforeItEnds) {
  absl::Notification stopping;
  FakeSaslServer server(SaslPath(), [&stopping](const v1::StepRequest&) {
    stopping.WaitForNotificationWithTimeout(absl::Seconds(10));
    return SuccessFor("alice");
  });
  StartAdapter();
  Mta mta(Path());
  mta.Handshake(0);
  mta.Write(std::string("AUTH\t1\t") + kLogin);
  ASSERT_TRUE(server.WaitForSteps(1));
  adapter_->Stop();
  stopping.Notify();
  EXPECT_EQ(mta.Line(), "OK\t1\tuser=alice");
  StopAdapter();
  EXPECT_EQ(mta.Line(), "<closed>");
}

TEST_F(AdapterTest, GivesItsSocketTheModeAndLeavesItToTheNext) {
  mode_t mask = umask(0077);
  StartAdapter("mode = \"0666\"\n");
  umask(mask);
  struct stat file;
  ASSERT_EQ(stat(Path().c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 0666u);
  StopAdapter();
  EXPECT_TRUE(std::filesystem::exists(Path()));
  StartAdapter("mode = \"0600\"\n");
  ASSERT_EQ(stat(Path().c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 0600u);
  EXPECT_NE(Mta(Path()).Greeting(), "");
}

TEST_F(AdapterTest, RefusesToTakeALiveSocketOver) {
  StartAdapter();
  AdapterConfig config =
      ParseAdapterConfig("[[listen]]\nprotocol = \"dovecot-auth\"\npath = \"" + Path() + "\"\n",
                         "t")
          .value();
  Adapter second(config, log_, testing::kStarted);
  absl::Status started = second.Start();
  EXPECT_TRUE(absl::IsAlreadyExists(started)) << started;
  EXPECT_NE(Mta(Path()).Greeting(), "");
}

TEST_F(AdapterTest, SaysOnceThatSasldIsAwayAndBack) {
  StartAdapter("", "[limits]\nanswer_within = \"500ms\"\n");
  for (int i = 0; i < 5; ++i) {
    Mta mta(Path());
    mta.Handshake(0);
    mta.Write(std::string("AUTH\t1\t") + kLogin);
    EXPECT_EQ(mta.Line(), "<closed>");
  }
  FakeSaslServer server(SaslPath(), Succeed);
  server.SetMechanisms({"CRAM-MD5 dictionary"});
  WaitForMechanisms("CRAM-MD5");
  StopAdapter();
  std::string log = log_text_.str();
  auto count = [&log](const std::string& text) {
    int found = 0;
    for (size_t at = log.find(text); at != log.npos; at = log.find(text, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("no connection to sasld at unix:" + SaslPath()), 1) << log;
  EXPECT_EQ(count("may this user (uid " + std::to_string(geteuid()) + ") connect there?"), 1);
  EXPECT_EQ(count("info] connected to sasld at unix:" + SaslPath()), 1) << log;
}

}  // namespace
}  // namespace sasld
