#include "client/grpc_step_client.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "client/monotonic_time.h"
#include "fake_sasl_server.h"
#include "step_client_subject.h"

namespace sasld {
namespace {

using testing::FakeSaslServer;
using testing::TemporaryFolder;
using Subject = testing::StepClientSubject;

TEST(GrpcStepClient, SendsStepsOfOneCallInOneBatchAndHandsRepliesOverTogether) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("s"), Subject::Succeed);
  Subject subject({folder.File("s")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1, 100);
  for (uint64_t id = 1; id <= 100; ++id) {
    EXPECT_EQ(subject.Reply(id).success().authcid(), "M" + std::to_string(id));
  }
  EXPECT_EQ(server.batches(), std::vector<int>{100});
  EXPECT_EQ(subject.handovers(), 1);
}

TEST(GrpcStepClient, PutsAtMost4096StepsInABatch) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("s"), Subject::Succeed);
  Subject subject({folder.File("s")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1, 10000);
  EXPECT_TRUE(subject.Reply(10000).has_success());
  EXPECT_TRUE(subject.Reply(1).has_success());
  for (int size : server.batches()) EXPECT_LE(size, 4096);
}

TEST(GrpcStepClient, TellsTheServerTheTimeThatIsLeft) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("s"), Subject::Succeed);
  Subject subject({folder.File("s")}, absl::Seconds(2));
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1);
  subject.Reply(1);
  EXPECT_GT(server.steps().at(0).budget_milliseconds(), 1000u);
  EXPECT_LE(server.steps().at(0).budget_milliseconds(), 1800u);
}

TEST(GrpcStepClient, LearnsThatMechanismsChanged) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("s"), Subject::Succeed);
  Subject subject({folder.File("s")});
  ASSERT_TRUE(subject.WaitForMechanism("PLAIN"));
  server.SetMechanisms({"LOGIN plaintext"});
  EXPECT_TRUE(subject.WaitForMechanism("LOGIN"));
}

TEST(GrpcStepClient, SendsAgainWhatABrokenStreamSwallowed) {
  TemporaryFolder folder;
  auto server = std::make_unique<FakeSaslServer>(folder.File("s"), Subject::StaySilent);
  Subject subject({folder.File("s")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1, 3);
  ASSERT_TRUE(server->WaitForSteps(3));
  server.reset();
  ASSERT_TRUE(subject.WaitUntilConnected(false));
  absl::SleepFor(absl::Seconds(1));  // sasld starts again
  server = std::make_unique<FakeSaslServer>(folder.File("s"), Subject::Succeed);
  for (uint64_t id = 1; id <= 3; ++id) EXPECT_TRUE(subject.Reply(id).has_success());
  for (const v1::StepRequest& step : server->steps()) {
    EXPECT_EQ(step.state(), "state");
    EXPECT_EQ(step.response_base64(), "AAAA");
  }
  EXPECT_EQ(subject.changes(), (std::vector<bool>{true, false, true}));
}

TEST(GrpcStepClient, WaitsForAServerThatIsAway) {
  TemporaryFolder folder;
  Subject subject({folder.File("s")});
  subject.Send(1);
  FakeSaslServer server(folder.File("s"), Subject::Succeed);
  EXPECT_TRUE(subject.Reply(1).has_success());
}

TEST(GrpcStepClient, GivesUpSoonOnceAnOutageHasLasted) {
  TemporaryFolder folder;
  Subject subject({folder.File("s")});
  absl::Time sent = MonotonicNow();
  subject.Send(1);
  EXPECT_TRUE(subject.Reply(1).has_temporary());
  EXPECT_LT(MonotonicNow() - sent, GrpcStepClient::kOutage + absl::Milliseconds(700));
  sent = MonotonicNow();
  subject.Send(2);
  EXPECT_EQ(subject.Reply(2).temporary().text(), "no sasld could be reached");
  EXPECT_GE(MonotonicNow() - sent, GrpcStepClient::kOutageWait);
  EXPECT_LT(MonotonicNow() - sent, absl::Seconds(2));
  EXPECT_EQ(subject.changes(), (std::vector<bool>{false}));
}

TEST(GrpcStepClient, GivesUpWhenTheAnswerDoesNotComeInTime) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("s"), Subject::StaySilent);
  Subject subject({folder.File("s")}, absl::Seconds(1));
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  absl::Time sent = MonotonicNow();
  subject.Send(1);
  EXPECT_EQ(subject.Reply(1).temporary().text(), "no answer from sasld in time");
  EXPECT_GT(MonotonicNow() - sent, absl::Milliseconds(700));
  EXPECT_LT(MonotonicNow() - sent, absl::Milliseconds(1000));
}

TEST(GrpcStepClient, RefusesStepsOverItsBoundAtOnce) {
  TemporaryFolder folder;
  Subject subject({folder.File("s")}, absl::Seconds(4), /*max_steps=*/10);
  absl::Time sent = MonotonicNow();
  subject.Send(1, 15);
  for (uint64_t id = 11; id <= 15; ++id) {
    EXPECT_EQ(subject.Reply(id).temporary().text(), "too many steps under way");
  }
  EXPECT_LT(MonotonicNow() - sent, absl::Seconds(1));
  FakeSaslServer server(folder.File("s"), Subject::Succeed);
  for (uint64_t id = 1; id <= 10; ++id) EXPECT_TRUE(subject.Reply(id).has_success());
}

TEST(GrpcStepClient, PassesARefusalOnWhenThereIsNoOtherServer) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("1"), Subject::Temporary("full", true));
  Subject subject({folder.File("1")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1);
  EXPECT_EQ(subject.Reply(1).temporary().text(), "full");
}

TEST(GrpcStepClient, DoesNotSendAStepThatBreaksStreamsForEver) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("s"), Subject::Succeed);
  server.BreakStreams(true);
  Subject subject({folder.File("s")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1);
  EXPECT_EQ(subject.Reply(1).temporary().text(), "the stream broke too often");
  EXPECT_EQ(server.steps().size(), static_cast<size_t>(GrpcStepClient::kMaxSends));
}

TEST(GrpcStepClient, NoticesTheEndOfAStreamOnWhichNoReplyIsAwaited) {
  TemporaryFolder folder;
  auto server = std::make_unique<FakeSaslServer>(folder.File("s"), Subject::Succeed);
  Subject subject({folder.File("s")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1);
  subject.Reply(1);
  absl::Time began = MonotonicNow();
  server.reset();
  EXPECT_TRUE(subject.WaitUntilConnected(false));
  EXPECT_LT(MonotonicNow() - began, absl::Seconds(3));  // before the mechanisms are asked for again
}

TEST(GrpcStepClient, MovesToOtherServers) {
  TemporaryFolder folder;
  FakeSaslServer first(folder.File("1"), Subject::StaySilent);
  FakeSaslServer second(folder.File("2"), Subject::Succeed);
  Subject subject({folder.File("1")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1);
  ASSERT_TRUE(first.WaitForSteps(1));
  subject.client().SetServers(Subject::Addresses({folder.File("2")}));
  EXPECT_TRUE(subject.Reply(1).has_success());
}

TEST(GrpcStepClient, EndsWithStepsUnderWay) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("s"), Subject::StaySilent);
  Subject subject({folder.File("s"), folder.File("nobody")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1, 1000);
  ASSERT_TRUE(server.WaitForSteps(1));
}

}  // namespace
}  // namespace sasld
