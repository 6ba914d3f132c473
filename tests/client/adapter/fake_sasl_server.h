// A Sasl service on a Unix socket in this process, whose answers the test decides.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "sasld/v1/sasl.grpc.pb.h"

namespace sasld::testing {

// A folder of its own under /tmp, removed with what is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

v1::StepReply SuccessFor(const std::string& user);
v1::StepReply ChallengeOf(const std::string& data, const std::string& state);

// Serves from construction to destruction; that breaks its streams at once, as a SIGKILL would.
class FakeSaslServer final : private v1::Sasl::Service {
 public:
  // Answers a step; correlation_id is set afterwards. nullopt: never.
  using Answer = std::function<std::optional<v1::StepReply>(const v1::StepRequest& step)>;

  FakeSaslServer(const std::string& path, Answer answer);
  ~FakeSaslServer() override;

  void SetMechanisms(std::vector<std::string> texts) ABSL_LOCKS_EXCLUDED(mutex_);
  // Breaks the stream instead of answering.
  void BreakStreams(bool on) ABSL_LOCKS_EXCLUDED(mutex_);
  // Says nothing to anybody until it is thawed, as after a SIGSTOP.
  void Freeze(bool on) ABSL_LOCKS_EXCLUDED(mutex_);
  // The sizes of the batches that came.
  std::vector<int> batches() ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<v1::StepRequest> steps() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits until so many steps have come; false after ten seconds.
  bool WaitForSteps(size_t count) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  grpc::Status ListMechanisms(grpc::ServerContext* context,
                              const v1::ListMechanismsRequest* request,
                              v1::ListMechanismsReply* reply) override;
  grpc::Status StepStream(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::StepReplyBatch, v1::StepBatch>* stream) override;

  void WaitWhileFrozen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Answer answer_;
  absl::Mutex mutex_;
  v1::ListMechanismsReply mechanisms_ ABSL_GUARDED_BY(mutex_);
  std::vector<int> batches_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::StepRequest> steps_ ABSL_GUARDED_BY(mutex_);
  bool break_streams_ ABSL_GUARDED_BY(mutex_) = false;
  bool frozen_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace sasld::testing
