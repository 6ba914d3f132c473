// The step client as its tests see it: sends steps, keeps what it was told.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/grpc_step_client.h"
#include "fake_sasl_server.h"

namespace sasld::testing {

// A client and all that it told.
class StepClientSubject {
 public:
  // Answers of a server: each step succeeds by the name of its mechanism; or there is none.
  static std::optional<v1::StepReply> Succeed(const v1::StepRequest& step) {
    return SuccessFor(step.mechanism());
  }
  static std::optional<v1::StepReply> StaySilent(const v1::StepRequest&) { return std::nullopt; }
  // Tells each step that nobody can say.
  static auto Temporary(const char* text, bool retry_elsewhere) {
    return [text, retry_elsewhere](const v1::StepRequest&) {
      v1::StepReply reply;
      reply.mutable_temporary()->set_text(text);
      reply.mutable_temporary()->set_retry_elsewhere(retry_elsewhere);
      return reply;
    };
  }

  explicit StepClientSubject(std::vector<std::string> paths,
                             absl::Duration answer_within = absl::Seconds(4),
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
                 [this](const GrpcStepClient::Change& change) {
                   absl::MutexLock lock(&mutex_);
                   if (change.kind == GrpcStepClient::Change::Kind::kConnected)
                     changes_.push_back(true);
                   if (change.kind == GrpcStepClient::Change::Kind::kLost)
                     changes_.push_back(false);
                   if (change.kind == GrpcStepClient::Change::Kind::kSilent)
                     silent_.push_back(true);
                   if (change.kind == GrpcStepClient::Change::Kind::kHeard)
                     silent_.push_back(false);
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
  bool WaitForServers(size_t connected) {
    return Wait([this, connected] {
      absl::MutexLock lock(&mutex_);
      return static_cast<size_t>(std::count(changes_.begin(), changes_.end(), true)) == connected;
    });
  }
  // Whether that it is silent was told, or that it is not any more.
  bool WaitForSilence(std::vector<bool> silent) {
    return Wait([this, &silent] {
      absl::MutexLock lock(&mutex_);
      return silent_ == silent;
    });
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
  std::vector<bool> silent_ ABSL_GUARDED_BY(mutex_);
  int handovers_ ABSL_GUARDED_BY(mutex_) = 0;
  GrpcStepClient client_;  // last: it calls into the others
};

}  // namespace sasld::testing
