#include "fake_sasl_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <utility>

#include "client/adapter/mechanism_text.h"

namespace sasld::testing {

TemporaryFolder::TemporaryFolder() : path_("/tmp/sasld-adapter-test-XXXXXX") {
  EXPECT_NE(mkdtemp(path_.data()), nullptr);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

v1::StepReply SuccessFor(const std::string& user) {
  v1::StepReply reply;
  reply.mutable_success()->set_authcid(user);
  reply.mutable_success()->set_authzid(user);
  return reply;
}

v1::StepReply ChallengeOf(const std::string& data, const std::string& state) {
  v1::StepReply reply;
  reply.mutable_challenge()->set_data(data);
  reply.mutable_challenge()->set_state(state);
  return reply;
}

FakeSaslServer::FakeSaslServer(const std::string& path, Answer answer)
    : answer_(std::move(answer)) {
  SetMechanisms({"PLAIN plaintext"});
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  EXPECT_NE(server_, nullptr);
}

FakeSaslServer::~FakeSaslServer() {
  Freeze(false);
  server_->Shutdown(std::chrono::system_clock::now());
}

void FakeSaslServer::SetMechanisms(std::vector<std::string> texts) {
  absl::MutexLock lock(&mutex_);
  mechanisms_.Clear();
  for (const std::string& text : texts)
    *mechanisms_.add_mechanisms() = ParseMechanism(text).value();
}

void FakeSaslServer::BreakStreams(bool on) {
  absl::MutexLock lock(&mutex_);
  break_streams_ = on;
}

void FakeSaslServer::Freeze(bool on) {
  absl::MutexLock lock(&mutex_);
  frozen_ = on;
}

void FakeSaslServer::WaitWhileFrozen() {
  auto thawed = [this] {
    mutex_.AssertHeld();
    return !frozen_;
  };
  mutex_.Await(absl::Condition(&thawed));
}

std::vector<int> FakeSaslServer::batches() {
  absl::MutexLock lock(&mutex_);
  return batches_;
}

std::vector<v1::StepRequest> FakeSaslServer::steps() {
  absl::MutexLock lock(&mutex_);
  return steps_;
}

bool FakeSaslServer::WaitForSteps(size_t count) {
  absl::MutexLock lock(&mutex_);
  auto enough = [this, count] {
    mutex_.AssertHeld();
    return steps_.size() >= count;
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(10));
}

grpc::Status FakeSaslServer::ListMechanisms(grpc::ServerContext*, const v1::ListMechanismsRequest*,
                                            v1::ListMechanismsReply* reply) {
  absl::MutexLock lock(&mutex_);
  WaitWhileFrozen();
  *reply = mechanisms_;
  return grpc::Status::OK;
}

grpc::Status FakeSaslServer::StepStream(
    grpc::ServerContext*, grpc::ServerReaderWriter<v1::StepReplyBatch, v1::StepBatch>* stream) {
  v1::StepBatch batch;
  while (stream->Read(&batch)) {
    {
      absl::MutexLock lock(&mutex_);
      batches_.push_back(batch.steps_size());
      steps_.insert(steps_.end(), batch.steps().begin(), batch.steps().end());
      if (break_streams_) return {grpc::StatusCode::INTERNAL, "broken by the test"};
    }
    // In the reverse order: any order is right.
    v1::StepReplyBatch replies;
    for (int i = batch.steps_size(); i-- > 0;) {
      std::optional<v1::StepReply> reply = answer_(batch.steps(i));
      if (!reply) continue;
      reply->set_correlation_id(batch.steps(i).correlation_id());
      *replies.add_replies() = *std::move(reply);
    }
    {
      absl::MutexLock lock(&mutex_);
      WaitWhileFrozen();
    }
    if (replies.replies_size() > 0) stream->Write(replies);
  }
  return grpc::Status::OK;
}

}  // namespace sasld::testing
