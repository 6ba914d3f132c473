// The step client with more than one server.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "client/grpc_step_client.h"
#include "client/monotonic_time.h"
#include "fake_sasl_server.h"
#include "step_client_subject.h"

namespace sasld {
namespace {

using testing::FakeSaslServer;
using testing::TemporaryFolder;
using Subject = testing::StepClientSubject;

TEST(SeveralServers, UsesTheSecondServerWhileTheFirstIsAway) {
  TemporaryFolder folder;
  FakeSaslServer second(folder.File("2"), Subject::Succeed);
  Subject subject({folder.File("1"), folder.File("2")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1);
  EXPECT_TRUE(subject.Reply(1).has_success());
  EXPECT_EQ(second.steps().size(), 1u);
}

TEST(SeveralServers, SendsToTheSecondServerAtOnceWhatTheFirstLost) {
  TemporaryFolder folder;
  auto first = std::make_unique<FakeSaslServer>(folder.File("1"), Subject::StaySilent);
  Subject subject({folder.File("1"), folder.File("2")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1);
  ASSERT_TRUE(first->WaitForSteps(1));
  FakeSaslServer second(folder.File("2"), Subject::Succeed);
  first.reset();
  EXPECT_TRUE(subject.Reply(1).has_success());
}

TEST(SeveralServers, AsksAnotherServerWhenOneSaysElsewhere) {
  TemporaryFolder folder;
  FakeSaslServer first(folder.File("1"), Subject::Temporary("full", true));
  FakeSaslServer second(folder.File("2"), Subject::Succeed);
  Subject subject({folder.File("1"), folder.File("2")});
  while (subject.changes().size() < 2) absl::SleepFor(absl::Milliseconds(5));
  subject.Send(1);
  EXPECT_TRUE(subject.Reply(1).has_success());
  EXPECT_EQ(first.steps().size(), 1u);
}

// As for a client that is throttled: there it would have guesses left.
TEST(SeveralServers, AsksNoOtherServerUnlessToldTo) {
  TemporaryFolder folder;
  FakeSaslServer first(folder.File("1"), Subject::Temporary("too many failed logins", false));
  FakeSaslServer second(folder.File("2"), Subject::Succeed);
  Subject subject({folder.File("1"), folder.File("2")});
  while (subject.changes().size() < 2) absl::SleepFor(absl::Milliseconds(5));
  subject.Send(1);
  EXPECT_EQ(subject.Reply(1).temporary().text(), "too many failed logins");
  EXPECT_TRUE(second.steps().empty());
}

TEST(SeveralServers, KeepsTheConnectionsOfServersThatStay) {
  TemporaryFolder folder;
  FakeSaslServer first(folder.File("1"), Subject::StaySilent);
  FakeSaslServer second(folder.File("2"), Subject::Succeed);
  std::vector<ServerAddress> both = Subject::Addresses({folder.File("1"), folder.File("2")});
  Subject subject({});
  subject.client().SetServers({both[0]});
  ASSERT_TRUE(subject.WaitForServers(1));
  subject.Send(1);
  ASSERT_TRUE(first.WaitForSteps(1));
  subject.client().SetServers(both);
  ASSERT_TRUE(subject.WaitForServers(2));
  EXPECT_EQ(second.steps().size(), 0u);  // the first one still has it
  subject.client().SetServers({both[1]});
  EXPECT_TRUE(subject.Reply(1).has_success());
  EXPECT_EQ(subject.changes(), (std::vector<bool>{true, true}));
}

TEST(SeveralServers, KeepsStepsUntilItIsToldOfServers) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("s"), Subject::Succeed);
  Subject subject({});
  subject.Send(1);
  subject.client().SetServers(Subject::Addresses({folder.File("s")}));
  EXPECT_TRUE(subject.Reply(1).has_success());
}

TEST(SeveralServers, SpreadsStepsOverItsServers) {
  TemporaryFolder folder;
  FakeSaslServer first(folder.File("1"), Subject::Succeed);
  FakeSaslServer second(folder.File("2"), Subject::Succeed);
  Subject subject({folder.File("1"), folder.File("2")});
  ASSERT_TRUE(subject.WaitForServers(2));
  subject.Send(1, 100);
  EXPECT_TRUE(first.WaitForSteps(50));
  EXPECT_TRUE(second.WaitForSteps(50));
  for (uint64_t id = 1; id <= 100; ++id) EXPECT_TRUE(subject.Reply(id).has_success());
  for (uint64_t id = 101; id <= 110; ++id) {  // one by one as well
    subject.Send(id);
    EXPECT_TRUE(subject.Reply(id).has_success());
  }
  EXPECT_EQ(first.steps().size(), 55u);
  EXPECT_EQ(second.steps().size(), 55u);
}

TEST(SeveralServers, GivesASlowServerLess) {
  TemporaryFolder folder;
  FakeSaslServer slow(folder.File("1"), Subject::StaySilent);
  FakeSaslServer quick(folder.File("2"), Subject::Succeed);
  Subject subject({folder.File("1"), folder.File("2")});
  ASSERT_TRUE(subject.WaitForServers(2));
  subject.Send(1);
  ASSERT_TRUE(slow.WaitForSteps(1));
  for (uint64_t id = 2; id <= 20; ++id) {
    subject.Send(id);
    EXPECT_TRUE(subject.Reply(id).has_success());
  }
  EXPECT_EQ(slow.steps().size(), 1u);
}

// As after a SIGSTOP, or behind a cable that was pulled.
TEST(SeveralServers, LosesNoStepToAServerThatIsConnectedButSilent) {
  TemporaryFolder folder;
  FakeSaslServer first(folder.File("1"), Subject::Succeed);
  FakeSaslServer second(folder.File("2"), Subject::Succeed);
  Subject subject({folder.File("1"), folder.File("2")});
  ASSERT_TRUE(subject.WaitForServers(2));
  first.Freeze(true);
  absl::Time sent = MonotonicNow();
  subject.Send(1, 10);
  for (uint64_t id = 1; id <= 10; ++id) EXPECT_TRUE(subject.Reply(id).has_success());
  EXPECT_LT(MonotonicNow() - sent, absl::Seconds(2));
  EXPECT_TRUE(subject.WaitForSilence({true}));
  subject.Send(11, 10);
  for (uint64_t id = 11; id <= 20; ++id) EXPECT_TRUE(subject.Reply(id).has_success());
  EXPECT_EQ(first.steps().size(), 5u);
  EXPECT_EQ(second.steps().size(), 20u);

  first.Freeze(false);
  EXPECT_TRUE(subject.WaitForSilence({true, false}));
  subject.Send(21, 10);
  for (uint64_t id = 21; id <= 30; ++id) EXPECT_TRUE(subject.Reply(id).has_success());
  EXPECT_EQ(first.steps().size(), 10u);
}

TEST(SeveralServers, SendsStepsOfASilentServerToOneThatComes) {
  TemporaryFolder folder;
  FakeSaslServer first(folder.File("1"), Subject::Succeed);
  Subject subject({folder.File("1"), folder.File("2")});
  ASSERT_TRUE(subject.WaitForServers(1));
  first.Freeze(true);
  subject.Send(1);
  ASSERT_TRUE(subject.WaitForSilence({true}));
  FakeSaslServer second(folder.File("2"), Subject::Succeed);
  EXPECT_TRUE(subject.Reply(1).has_success());
  EXPECT_EQ(second.steps().size(), 1u);
}

// It says that it is well, but a step is stuck in it.
TEST(SeveralServers, AsksASecondServerWhileThereIsTimeForItsAnswer) {
  TemporaryFolder folder;
  FakeSaslServer first(folder.File("1"), Subject::StaySilent);
  FakeSaslServer second(folder.File("2"), Subject::Succeed);
  Subject subject({folder.File("1"), folder.File("2")}, absl::Seconds(2));
  ASSERT_TRUE(subject.WaitForServers(2));
  subject.Send(1);
  EXPECT_TRUE(subject.Reply(1).has_success());
  EXPECT_EQ(first.steps().size(), 1u);
  EXPECT_EQ(second.steps().size(), 1u);
}

TEST(SeveralServers, TakesNoTemporaryFailureWhileAnotherServerMayDoBetter) {
  TemporaryFolder folder;
  FakeSaslServer first(folder.File("1"), Subject::Succeed);
  FakeSaslServer second(folder.File("2"), Subject::Temporary("answered before", false));
  Subject subject({folder.File("1"), folder.File("2")});
  ASSERT_TRUE(subject.WaitForServers(2));
  first.Freeze(true);
  subject.Send(1);
  ASSERT_TRUE(second.WaitForSteps(1));
  absl::SleepFor(absl::Milliseconds(100));  // its answer is on its way
  first.Freeze(false);
  EXPECT_TRUE(subject.Reply(1).has_success());
}

}  // namespace
}  // namespace sasld
