#include "server/rpc/endpoint.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "sasld/v1/sasl.grpc.pb.h"
#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

using testing::HasSubstr;

class EndpointTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "sasld-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    socket = {folder + "/sasl.sock", 0660, "", ""};
    parts.MustCreate("alice", "secret");
    Start();
    stub = v1::Sasl::NewStub(
        grpc::CreateChannel("unix:" + socket.path, grpc::InsecureChannelCredentials()));
  }
  void TearDown() override {
    if (endpoint) endpoint->Drain(absl::Now());
    parts.lane.Close();
    endpoint.reset();
    std::filesystem::remove_all(folder);
  }
  void Start() {
    auto started = Endpoint::Start(parts.exchange, {{socket}, {}, nullptr, &parts.lookups});
    ASSERT_TRUE(started.ok()) << started.status();
    endpoint = *std::move(started);
  }
  static v1::StepRequest Plain(uint64_t id, std::string_view password) {
    v1::StepRequest request;
    request.set_correlation_id(id);
    request.set_mechanism("PLAIN");
    std::string message("\0alice\0", 7);
    request.set_response(message.append(password));
    return request;
  }
  static ExchangePolicy QuickPolicy() {
    ExchangePolicy policy = Parts::DefaultPolicy();
    policy.failure_delay = absl::Milliseconds(50);
    return policy;
  }

  Parts parts{{1, 4096, 4096}, QuickPolicy()};
  std::string folder;
  SocketFile socket;
  std::unique_ptr<Endpoint> endpoint;
  std::unique_ptr<v1::Sasl::Stub> stub;
};

TEST_F(EndpointTest, SocketHasItsMode) {
  struct stat facts {};
  ASSERT_EQ(stat(socket.path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0660u);
}

TEST_F(EndpointTest, ALiveSocketIsNotTakenOver) {
  const auto second = Endpoint::Start(parts.exchange, {{socket}, {}, nullptr, &parts.lookups});
  EXPECT_TRUE(absl::IsAlreadyExists(second.status())) << second.status();
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(socket.path));
}

TEST_F(EndpointTest, StepAnswers) {
  grpc::ClientContext context;
  v1::StepReply reply;
  ASSERT_TRUE(stub->Step(&context, Plain(42, "secret"), &reply).ok());
  EXPECT_EQ(reply.correlation_id(), 42u);
  EXPECT_EQ(reply.success().authcid(), "alice");
}

TEST_F(EndpointTest, FailuresAreHeldBack) {
  grpc::ClientContext context;
  v1::StepReply reply;
  const absl::Time before = absl::Now();
  ASSERT_TRUE(stub->Step(&context, Plain(1, "wrong"), &reply).ok());
  EXPECT_EQ(reply.failure().code(), v1::Failure::AUTHENTICATION_FAILED);
  EXPECT_GE(absl::Now() - before, absl::Milliseconds(45));
}

TEST_F(EndpointTest, TooLongIsAnInvalidArgument) {
  grpc::ClientContext context;
  v1::StepReply reply;
  EXPECT_EQ(stub->Step(&context, Plain(1, std::string(20000, 'x')), &reply).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(EndpointTest, ListsMechanismsForTheConnection) {
  const auto count = [&](const v1::ListMechanismsRequest& request) {
    grpc::ClientContext context;
    v1::ListMechanismsReply reply;
    EXPECT_TRUE(stub->ListMechanisms(&context, request, &reply).ok());
    return reply.mechanisms_size();
  };
  v1::ListMechanismsRequest request;
  EXPECT_EQ(count(request), 3);
  request.mutable_connection()->set_remote_ip("192.0.2.1");
  EXPECT_EQ(count(request), 1);
}

v1::AccountAnswer AskFor(v1::Sasl::Stub& stub, const std::string& name) {
  grpc::ClientContext context;
  v1::StepRequest request;
  request.mutable_account()->set_name(name);
  v1::StepReply reply;
  EXPECT_TRUE(stub.Step(&context, request, &reply).ok());
  EXPECT_TRUE(reply.has_account());
  return reply.account();
}

TEST_F(EndpointTest, AnswersQuestionsAboutAccountsWhereThatIsAllowed) {
  EXPECT_EQ(AskFor(*stub, "Alice").status(), v1::AccountAnswer::FOUND);
  EXPECT_EQ(AskFor(*stub, "Alice").name(), "alice");
  EXPECT_EQ(AskFor(*stub, "bob").status(), v1::AccountAnswer::UNKNOWN);
  parts.lookups.Allow(false);
  EXPECT_EQ(AskFor(*stub, "alice").status(), v1::AccountAnswer::FORBIDDEN);
  EXPECT_EQ(AskFor(*stub, "bob").status(), v1::AccountAnswer::FORBIDDEN);
}

TEST_F(EndpointTest, AStreamCarriesQuestionsAmongSteps) {
  grpc::ClientContext context;
  auto stream = stub->StepStream(&context);
  v1::StepBatch batch;
  *batch.add_steps() = Plain(1, "secret");
  v1::StepRequest& one = *batch.add_steps();
  one.set_correlation_id(2);
  one.mutable_account()->set_name("alice");
  v1::StepRequest& all = *batch.add_steps();
  all.set_correlation_id(3);
  all.mutable_account()->set_after("");
  ASSERT_TRUE(stream->Write(batch));
  stream->WritesDone();
  std::map<uint64_t, v1::StepReply> answers;
  v1::StepReplyBatch replies;
  while (stream->Read(&replies)) {
    for (const v1::StepReply& reply : replies.replies()) answers[reply.correlation_id()] = reply;
  }
  EXPECT_TRUE(stream->Finish().ok());
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_TRUE(answers[1].has_success());
  EXPECT_TRUE(answers[2].account().may_log_in());
  ASSERT_EQ(answers[3].account().names_size(), 1);
  EXPECT_EQ(answers[3].account().names(0), "alice");
}

TEST_F(EndpointTest, IsAliveWhileItsThreadGoesRound) {
  for (int asked = 0; asked < 3; ++asked) {
    while (!endpoint->IsAlive()) absl::SleepFor(absl::Milliseconds(1));
  }
}

TEST_F(EndpointTest, IsNotAliveWhileItsThreadHangs) {
  absl::Notification hangs;
  absl::Notification released;
  parts.store.AfterFind([&] {
    hangs.Notify();
    released.WaitForNotification();
  });
  std::thread caller([this] { AskFor(*stub, "alice"); });
  hangs.WaitForNotification();
  EXPECT_TRUE(endpoint->IsAlive());  // nobody had asked yet
  absl::SleepFor(absl::Milliseconds(50));
  EXPECT_FALSE(endpoint->IsAlive());
  released.Notify();
  caller.join();
  while (!endpoint->IsAlive()) absl::SleepFor(absl::Milliseconds(1));
}

TEST_F(EndpointTest, StreamAnswersEachStepOnce) {
  constexpr uint64_t kSteps = 300;
  grpc::ClientContext context;
  auto stream = stub->StepStream(&context);
  v1::StepBatch batch;
  for (uint64_t id = 1; id <= kSteps; ++id) {
    *batch.add_steps() = Plain(id, id % 2 == 0 ? "secret" : "wrong");
    if (id % 100 == 0) {
      ASSERT_TRUE(stream->Write(batch));
      batch.Clear();
    }
  }
  stream->WritesDone();
  std::map<uint64_t, bool> successes;
  v1::StepReplyBatch replies;
  while (stream->Read(&replies)) {
    for (const v1::StepReply& reply : replies.replies()) {
      EXPECT_TRUE(successes.emplace(reply.correlation_id(), reply.has_success()).second);
    }
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(successes.size(), kSteps);
  for (const auto& [id, success] : successes) EXPECT_EQ(success, id % 2 == 0) << id;
}

TEST_F(EndpointTest, ABadStepSpoilsOnlyItself) {
  grpc::ClientContext context;
  auto stream = stub->StepStream(&context);
  v1::StepBatch batch;
  *batch.add_steps() = Plain(1, std::string(20000, 'x'));
  *batch.add_steps() = Plain(2, "secret");
  // Not UTF-8, each where a message of text fields would not be readable at all.
  v1::StepRequest& junk_name = *batch.add_steps() = Plain(3, "secret");
  junk_name.set_mechanism("PLA\xff");
  v1::StepRequest& junk_facts = *batch.add_steps() = Plain(4, "secret");
  junk_facts.mutable_connection()->set_service("\xff");
  junk_facts.mutable_connection()->set_remote_ip("127.0.0.1\xff");
  junk_facts.mutable_connection()->set_secured(true);
  v1::StepRequest& junk_base64 = *batch.add_steps() = Plain(5, "secret");
  junk_base64.set_response_base64("\xff\xff\xff\xff");
  ASSERT_TRUE(stream->Write(batch));
  stream->WritesDone();
  std::map<uint64_t, v1::StepReply> answers;
  v1::StepReplyBatch replies;
  while (stream->Read(&replies)) {
    for (const v1::StepReply& reply : replies.replies()) answers[reply.correlation_id()] = reply;
  }
  EXPECT_EQ(answers[1].failure().code(), v1::Failure::MALFORMED);
  EXPECT_TRUE(answers[2].has_success());
  EXPECT_EQ(answers[3].failure().code(), v1::Failure::MECHANISM_UNAVAILABLE);
  EXPECT_TRUE(answers[4].has_success());
  EXPECT_EQ(answers[5].failure().code(), v1::Failure::INVALID_BASE64);
}

TEST_F(EndpointTest, AMessageOverTheLimitEndsItsStreamOnly) {
  grpc::ClientContext context;
  auto stream = stub->StepStream(&context);
  v1::StepBatch batch;
  for (int i = 0; i < 5; ++i) {
    batch.add_steps()->set_state(std::string(size_t{1} << 20, 's'));
  }
  ASSERT_TRUE(stream->Write(batch));
  v1::StepReplyBatch replies;
  EXPECT_FALSE(stream->Read(&replies));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  grpc::ClientContext other;
  v1::StepReply reply;
  ASSERT_TRUE(stub->Step(&other, Plain(1, "secret"), &reply).ok());
}

TEST_F(EndpointTest, DrainingAnswersWhatCameIn) {
  grpc::ClientContext context;
  auto stream = stub->StepStream(&context);
  v1::StepBatch batch;
  for (uint64_t id = 1; id <= 20; ++id) *batch.add_steps() = Plain(id, "wrong");
  *batch.add_steps() = Plain(100, "secret");
  ASSERT_TRUE(stream->Write(batch));
  v1::StepReplyBatch replies;
  // The first reply tells that the batch has arrived.
  ASSERT_TRUE(stream->Read(&replies));
  int answered = replies.replies_size();
  endpoint->Drain(absl::Now() + absl::Seconds(5));
  while (stream->Read(&replies)) answered += replies.replies_size();
  EXPECT_EQ(answered, 21);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(EndpointTest, ACallerThatVanishesHarmsNobody) {
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    auto stream = stub->StepStream(&context);
    v1::StepBatch batch;
    for (uint64_t id = 1; id <= 10; ++id) *batch.add_steps() = Plain(id, "wrong");
    ASSERT_TRUE(stream->Write(batch));
    context.TryCancel();
    stream->Finish();
  }
  grpc::ClientContext context;
  v1::StepReply reply;
  ASSERT_TRUE(stub->Step(&context, Plain(1, "secret"), &reply).ok());
  EXPECT_TRUE(reply.has_success());
}

class HealthTest : public EndpointTest {
 protected:
  void SetUp() override {
    EndpointTest::SetUp();
    health = grpc::health::v1::Health::NewStub(
        grpc::CreateChannel("unix:" + socket.path, grpc::InsecureChannelCredentials()));
  }
  std::unique_ptr<grpc::health::v1::Health::Stub> health;
};

TEST_F(HealthTest, CheckKnowsItsServices) {
  const auto check = [&](const std::string& service, grpc::health::v1::HealthCheckResponse* reply) {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    return health->Check(&context, request, reply).error_code();
  };
  grpc::health::v1::HealthCheckResponse reply;
  EXPECT_EQ(check("", &reply), grpc::StatusCode::OK);
  EXPECT_EQ(reply.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  EXPECT_EQ(check("sasld.v1.Sasl", &reply), grpc::StatusCode::OK);
  EXPECT_EQ(check("no.such.Service", &reply), grpc::StatusCode::NOT_FOUND);
}

TEST_F(HealthTest, WatchTellsOfTheEnd) {
  grpc::ClientContext context;
  auto stream = health->Watch(&context, {});
  grpc::health::v1::HealthCheckResponse reply;
  ASSERT_TRUE(stream->Read(&reply));
  EXPECT_EQ(reply.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  // A watcher whose caller vanishes is forgotten.
  {
    grpc::ClientContext gone;
    auto other = health->Watch(&gone, {});
    ASSERT_TRUE(other->Read(&reply));
    gone.TryCancel();
    other->Finish();
  }
  endpoint->Drain(absl::Now() + absl::Seconds(5));
  ASSERT_TRUE(stream->Read(&reply));
  EXPECT_EQ(reply.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(stream->Read(&reply));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(EndpointTest, CanBeStartedAgainOnTheSameSocket) {
  endpoint->Drain(absl::Now());
  endpoint.reset();
  Start();
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  v1::StepReply reply;
  ASSERT_TRUE(stub->Step(&context, Plain(1, "secret"), &reply).ok());
  EXPECT_TRUE(reply.has_success());
}

}  // namespace
}  // namespace sasld
