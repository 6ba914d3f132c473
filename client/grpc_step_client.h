// StepClient over gRPC: one batched stream to each server, one thread, completion queue.
//
// A batch is what gathered while the write before was under way; nothing waits for a timer. Steps
// go to the first server in the list that is connected. They are stateless, so a step whose stream
// broke, or that finds no server, is sent again to the next one or after the reconnect, until its
// time is up.
//
// The bounds: `max_steps` steps at once; each of them at most kMaxSends times on the wire; each
// answered within `answer_within`. While no server can be reached, steps wait kOutage from the
// beginning of the outage (a restart of sasld takes less), later ones only kOutageWait.
#pragma once

#include <grpcpp/alarm.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/outgoing_batch.h"
#include "client/server_link.h"
#include "client/step_client.h"

namespace sasld {

class GrpcStepClient final : public StepClient {
 public:
  static constexpr absl::Duration kOutage = absl::Seconds(3);
  static constexpr absl::Duration kOutageWait = absl::Milliseconds(500);
  static constexpr int kMaxSends = 4;

  struct Options {
    std::vector<ServerAddress> servers;  // in order of preference, at least one
    absl::Duration answer_within = absl::Seconds(4);
    size_t max_steps = 65536;
  };
  // Called on the client's own thread or within Send(), never under a lock, from construction until
  // destruction.
  struct Callbacks {
    OnReplies on_replies;
    OnMechanisms on_mechanisms;
    // A server was connected, or lost (`why` says why), or could not be reached for the first time
    // since it was lost. Once a change.
    absl::AnyInvocable<void(std::string_view target, bool connected, std::string_view why)>
        on_change;
  };

  GrpcStepClient(Options options, Callbacks callbacks);
  // Steps under way get no reply any more.
  ~GrpcStepClient() override;

  void Send(std::vector<v1::StepRequest> steps) override ABSL_LOCKS_EXCLUDED(mutex_);
  bool Connected() const override { return connected_links_.load(std::memory_order_relaxed) > 0; }

  // Leaves the old servers; steps under way with them go to the new ones. Any thread.
  void SetServers(std::vector<ServerAddress> servers) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Server {
    std::unique_ptr<ServerLink> link;
    std::vector<uint64_t> queue;  // correlation ids of steps to be written
    bool reported_broken = false;
  };
  struct Step {
    std::unique_ptr<v1::StepRequest> request;
    absl::Time arrived;
    const ServerLink* under_way_on = nullptr;  // or queued for; null: waits for any server
    int sends = 0;
    size_t refusals = 0;  // servers that said "elsewhere"
  };
  struct Change {
    std::string target;
    bool connected;
    std::string why;
  };
  // What is to be told once the lock is released.
  struct News {
    std::vector<v1::StepReply> replies;
    std::vector<v1::ListMechanismsReply> mechanisms;
    std::vector<Change> changes;
  };

  void Run();
  void Deliver(News news);
  absl::Time Advance(absl::Time now, News& news) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes what came out of the queue.
  void Take(void* tag, bool ok, absl::Time now, News& news) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Complete(const ServerLink::Operation& operation, bool ok, absl::Time now, News& news)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeReplies(Server& server, v1::StepReplyBatch& batch, News& news)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool SendElsewhere(const Server& refuser, uint64_t id, Step& step)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeBack(const ServerLink* lost, absl::Time now, News& news)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RouteWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FlushAndReap(Server& server, absl::Time now, News& news)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Flush(Server& server, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Expire(absl::Time now, News& news) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Time GiveUpAt(const Step& step) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Server* FirstConnected() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountConnected(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Replace(std::vector<ServerAddress> servers) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool AllIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const absl::Duration give_up_after_;
  const size_t max_steps_;
  Callbacks callbacks_;
  std::atomic<int> connected_links_ = 0;

  absl::Mutex mutex_;
  grpc::CompletionQueue queue_;
  std::vector<Server> servers_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<ServerLink>> retired_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, Step> steps_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> waiting_ ABSL_GUARDED_BY(mutex_);  // ids of steps that wait for any server
  std::vector<v1::StepReply> refused_ ABSL_GUARDED_BY(mutex_);  // replies made in Send()
  absl::Time outage_since_ ABSL_GUARDED_BY(mutex_);             // infinite future while connected
  absl::Time next_expiry_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();  // not after any step's
  absl::Time sleeps_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();   // the thread, at most
  OutgoingBatch batch_ ABSL_GUARDED_BY(mutex_);                              // empty between uses
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);
  bool waking_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace sasld
