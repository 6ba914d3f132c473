#include "client/grpc_step_client.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/monotonic_time.h"
#include "fake_sasl_server.h"

namespace sasld {
namespace {

using testing::FakeSaslServer;
using testing::SuccessFor;
using testing::TemporaryFolder;

std::optional<v1::StepReply> Succeed(const v1::StepRequest& step) {
  return SuccessFor(step.mechanism());
}
std::optional<v1::StepReply> StaySilent(const v1::StepRequest&) { return std::nullopt; }
// Tells each step that nobody can say.
auto Temporary(const char* text, bool retry_elsewhere) {
  return [text, retry_elsewhere](const v1::StepRequest&) {
    v1::StepReply reply;
    reply.mutable_temporary()->set_text(text);
    reply.mutable_temporary()->set_retry_elsewhere(retry_elsewhere);
    return reply;
  };
}

// A client and all that it told.
class Subject {
 public:
  explicit Subject(std::vector<std::string> paths, absl::Duration answer_within = absl::Seconds(4),
                   size_t max_steps = 65536)
      : client_(
            {Addresses(paths), answer_within, max_steps},
            {.on_replies = [this](std::vector<v1::StepReply> replies) { Take(std::move(replies)); },
             .on_mechanisms =
                 [this](const v1::ListMechanismsReply& mechanisms) {
                   absl::MutexLock lock(&mutex_);
                   mechanisms_ = mechanisms;
                 },
             .on_change =
                 [this](std::string_view, bool connected, std::string_view) {
                   absl::MutexLock lock(&mutex_);
                   changes_.push_back(connected);
                 }}) {}

  static std::vector<ServerAddress> Addresses(const std::vector<std::string>& paths) {
    std::vector<ServerAddress> addresses;
    for (const std::string& path : paths) {
      addresses.push_back({"unix:" + path, grpc::InsecureChannelCredentials()});
    }
    return addresses;
  }

  // Sends steps of the mechanisms M<id> for the ids first .. first + count - 1.
  void Send(uint64_t first, uint64_t count = 1) {
    std::vector<v1::StepRequest> steps(count);
    for (uint64_t i = 0; i < count; ++i) {
      steps[i].set_correlation_id(first + i);
      steps[i].set_mechanism("M" + std::to_string(first + i));
      steps[i].set_state("state");
      steps[i].set_response_base64("AAAA");
    }
    client_.Send(std::move(steps));
  }

  // The only reply to `id`; fails the test if there is none in ten seconds.
  v1::StepReply Reply(uint64_t id) {
    absl::MutexLock lock(&mutex_);
    auto there = [this, id] {
      mutex_.AssertHeld();
      return replies_.count(id) > 0;
    };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(10))) << id;
    return replies_[id];
  }

  bool WaitUntilConnected(bool connected) {
    return Wait([this, connected] { return client_.Connected() == connected; });
  }
  bool WaitForMechanism(const std::string& name) {
    return Wait([this, name] {
      absl::MutexLock lock(&mutex_);
      return mechanisms_.mechanisms_size() == 1 && mechanisms_.mechanisms(0).name() == name;
    });
  }
  std::vector<bool> changes() {
    absl::MutexLock lock(&mutex_);
    return changes_;
  }
  int handovers() {
    absl::MutexLock lock(&mutex_);
    return handovers_;
  }
  GrpcStepClient& client() { return client_; }

 private:
  static bool Wait(const std::function<bool()>& condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) return true;
      absl::SleepFor(absl::Milliseconds(10));
    }
    return false;
  }
  void Take(std::vector<v1::StepReply> replies) {
    absl::MutexLock lock(&mutex_);
    ++handovers_;
    for (v1::StepReply& reply : replies) {
      bool first = replies_.emplace(reply.correlation_id(), reply).second;
      EXPECT_TRUE(first) << "a second reply to " << reply.correlation_id();
    }
  }

  absl::Mutex mutex_;
  std::map<uint64_t, v1::StepReply> replies_ ABSL_GUARDED_BY(mutex_);
  v1::ListMechanismsReply mechanisms_ ABSL_GUARDED_BY(mutex_);
  std::vector<bool> changes_ ABSL_GUARDED_BY(mutex_);
  int handovers_ ABSL_GUARDED_BY(mutex_) = 0;
  GrpcStepClient client_;  // last: it calls into the others
};

TEST(GrpcStepClient, SendsStepsOfOneCallInOneBatchAndHandsRepliesOverTogether) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("s"), Succeed);
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
  FakeSaslServer server(folder.File("s"), Succeed);
  Subject subject({folder.File("s")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1, 10000);
  EXPECT_TRUE(subject.Reply(10000).has_success());
  EXPECT_TRUE(subject.Reply(1).has_success());
  for (int size : server.batches()) EXPECT_LE(size, 4096);
}

TEST(GrpcStepClient, TellsTheServerTheTimeThatIsLeft) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("s"), Succeed);
  Subject subject({folder.File("s")}, absl::Seconds(2));
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1);
  subject.Reply(1);
  EXPECT_GT(server.steps().at(0).budget_milliseconds(), 1000u);
  EXPECT_LE(server.steps().at(0).budget_milliseconds(), 1800u);
}

TEST(GrpcStepClient, LearnsThatMechanismsChanged) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("s"), Succeed);
  Subject subject({folder.File("s")});
  ASSERT_TRUE(subject.WaitForMechanism("PLAIN"));
  server.SetMechanisms({"LOGIN plaintext"});
  EXPECT_TRUE(subject.WaitForMechanism("LOGIN"));
}

TEST(GrpcStepClient, SendsAgainWhatABrokenStreamSwallowed) {
  TemporaryFolder folder;
  auto server = std::make_unique<FakeSaslServer>(folder.File("s"), StaySilent);
  Subject subject({folder.File("s")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1, 3);
  ASSERT_TRUE(server->WaitForSteps(3));
  server.reset();
  ASSERT_TRUE(subject.WaitUntilConnected(false));
  absl::SleepFor(absl::Seconds(1));  // sasld starts again
  server = std::make_unique<FakeSaslServer>(folder.File("s"), Succeed);
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
  FakeSaslServer server(folder.File("s"), Succeed);
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
  FakeSaslServer server(folder.File("s"), StaySilent);
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
  FakeSaslServer server(folder.File("s"), Succeed);
  for (uint64_t id = 1; id <= 10; ++id) EXPECT_TRUE(subject.Reply(id).has_success());
}

TEST(GrpcStepClient, UsesTheSecondServerWhileTheFirstIsAway) {
  TemporaryFolder folder;
  FakeSaslServer second(folder.File("2"), Succeed);
  Subject subject({folder.File("1"), folder.File("2")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1);
  EXPECT_TRUE(subject.Reply(1).has_success());
  EXPECT_EQ(second.steps().size(), 1u);
}

TEST(GrpcStepClient, SendsToTheSecondServerAtOnceWhatTheFirstLost) {
  TemporaryFolder folder;
  auto first = std::make_unique<FakeSaslServer>(folder.File("1"), StaySilent);
  Subject subject({folder.File("1"), folder.File("2")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1);
  ASSERT_TRUE(first->WaitForSteps(1));
  FakeSaslServer second(folder.File("2"), Succeed);
  first.reset();
  EXPECT_TRUE(subject.Reply(1).has_success());
}

TEST(GrpcStepClient, AsksAnotherServerWhenOneSaysElsewhere) {
  TemporaryFolder folder;
  FakeSaslServer first(folder.File("1"), Temporary("full", true));
  FakeSaslServer second(folder.File("2"), Succeed);
  Subject subject({folder.File("1"), folder.File("2")});
  while (subject.changes().size() < 2) absl::SleepFor(absl::Milliseconds(5));
  subject.Send(1);
  EXPECT_TRUE(subject.Reply(1).has_success());
  EXPECT_EQ(first.steps().size(), 1u);
}

// As for a client that is throttled: there it would have guesses left.
TEST(GrpcStepClient, AsksNoOtherServerUnlessToldTo) {
  TemporaryFolder folder;
  FakeSaslServer first(folder.File("1"), Temporary("too many failed logins", false));
  FakeSaslServer second(folder.File("2"), Succeed);
  Subject subject({folder.File("1"), folder.File("2")});
  while (subject.changes().size() < 2) absl::SleepFor(absl::Milliseconds(5));
  subject.Send(1);
  EXPECT_EQ(subject.Reply(1).temporary().text(), "too many failed logins");
  EXPECT_TRUE(second.steps().empty());
}

TEST(GrpcStepClient, PassesARefusalOnWhenThereIsNoOtherServer) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("1"), Temporary("full", true));
  Subject subject({folder.File("1")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1);
  EXPECT_EQ(subject.Reply(1).temporary().text(), "full");
}

TEST(GrpcStepClient, DoesNotSendAStepThatBreaksStreamsForEver) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("s"), Succeed);
  server.BreakStreams(true);
  Subject subject({folder.File("s")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1);
  EXPECT_EQ(subject.Reply(1).temporary().text(), "the stream broke too often");
  EXPECT_EQ(server.steps().size(), static_cast<size_t>(GrpcStepClient::kMaxSends));
}

TEST(GrpcStepClient, NoticesTheEndOfAStreamOnWhichNoReplyIsAwaited) {
  TemporaryFolder folder;
  auto server = std::make_unique<FakeSaslServer>(folder.File("s"), Succeed);
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
  FakeSaslServer first(folder.File("1"), StaySilent);
  FakeSaslServer second(folder.File("2"), Succeed);
  Subject subject({folder.File("1")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1);
  ASSERT_TRUE(first.WaitForSteps(1));
  subject.client().SetServers(Subject::Addresses({folder.File("2")}));
  EXPECT_TRUE(subject.Reply(1).has_success());
}

TEST(GrpcStepClient, EndsWithStepsUnderWay) {
  TemporaryFolder folder;
  FakeSaslServer server(folder.File("s"), StaySilent);
  Subject subject({folder.File("s"), folder.File("nobody")});
  ASSERT_TRUE(subject.WaitUntilConnected(true));
  subject.Send(1, 1000);
  ASSERT_TRUE(server.WaitForSteps(1));
}

}  // namespace
}  // namespace sasld
