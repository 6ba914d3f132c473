// StepClient over gRPC: one batched stream to each server, one thread, completion queue.
//
// A batch is what gathered while the write before was under way; nothing waits for a timer. Steps
// are spread over the servers that are connected: see server_pool.h. They are stateless, so a step
// whose stream broke, or that finds no server, is sent again to another one or after the reconnect,
// until its time is up. One that a silent server has, or that had no answer when two thirds of its
// time are gone, is sent to one more as well: then the first answer counts, but a temporary failure
// only where no other can come. What a second sending does is in
// deploy/decisions/a-step-may-be-sent-twice.md.
//
// The bounds: `max_steps` steps at once; each of them at most kMaxSends times on the wire, with two
// servers at the most at a time; each answered within `answer_within`. While no server can be
// reached, steps wait kOutage from the beginning of the outage (a restart of sasld takes less),
// later ones only kOutageWait.
#pragma once

#include <grpcpp/alarm.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/outgoing_batch.h"
#include "client/server_link.h"
#include "client/server_pool.h"
#include "client/step_client.h"

namespace sasld {

class GrpcStepClient final : public StepClient {
 public:
  static constexpr absl::Duration kOutage = absl::Seconds(3);
  static constexpr absl::Duration kOutageWait = absl::Milliseconds(500);
  static constexpr int kMaxSends = 4;

  struct Options {
    // The first that is connected tells the mechanisms. May be none: then steps wait for
    // SetServers().
    std::vector<ServerAddress> servers;
    absl::Duration answer_within = absl::Seconds(4);
    size_t max_steps = 65536;
  };
  // What became of a server. Once a change.
  struct Change {
    enum class Kind {
      kConnected,
      kLost,    // or could not be reached for the first time since
      kSilent,  // connected, but says nothing. Not told more than once a minute
      kHeard,   // after kSilent: it says something again
    };
    std::string server;  // ServerAddress::Text()
    Kind kind;
    std::string why;        // kLost only
    bool others_connected;  // logins go on
  };
  // Called on the client's own thread or within Send(), never under a lock, from construction until
  // destruction.
  struct Callbacks {
    OnReplies on_replies;
    OnMechanisms on_mechanisms;
    absl::AnyInvocable<void(const Change&)> on_change;
  };

  GrpcStepClient(Options options, Callbacks callbacks);
  // Steps under way get no reply any more.
  ~GrpcStepClient() override;

  void Send(std::vector<v1::StepRequest> steps) override ABSL_LOCKS_EXCLUDED(mutex_);
  bool Connected() const override { return connected_servers() > 0; }
  // For metrics. Any thread.
  size_t connected_servers() const { return connected_links_.load(std::memory_order_relaxed); }
  size_t known_servers() const { return known_links_.load(std::memory_order_relaxed); }

  // Leaves the servers that are not among these; steps under way with them go to these. Any thread.
  void SetServers(std::vector<ServerAddress> servers) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Server = PooledServer;
  struct Step {
    std::unique_ptr<v1::StepRequest> request;
    absl::Time arrived;
    const ServerLink* under_way_on = nullptr;  // or queued for; null: waits for any server
    const ServerLink* also_on = nullptr;       // only with the one above
    bool asked_twice = false;                  // for want of time, if there was a second server
    int sends = 0;
    size_t refusals = 0;  // servers that said "elsewhere"

    // `link` is not to answer any more. False: it was not to before.
    bool Leave(const ServerLink* link) {
      if (under_way_on == link) {
        under_way_on = std::exchange(also_on, nullptr);
      } else if (also_on == link) {
        also_on = nullptr;
      } else {
        return false;
      }
      return true;
    }
  };
  // What is to be told once the lock is released.
  struct News {
    std::vector<v1::StepReply> replies;
    std::vector<v1::ListMechanismsReply> mechanisms;
    std::vector<Change> changes;
  };

  static v1::StepReply MadeTemporaryFailure(uint64_t correlation_id, std::string_view text);

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
  bool NoteSilence(absl::Time now, News& news) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RelieveSilent(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AskAnotherToo(uint64_t id, Step& step) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FlushAndReap(Server& server, absl::Time now, News& news)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Flush(Server& server, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FlushAll(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Expire(absl::Time now, News& news) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Time GiveUpAt(const Step& step) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Time AskTwiceAt(const Step& step) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountConnected(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Replace(std::vector<ServerAddress> servers) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool AllIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const absl::Duration give_up_after_;
  const size_t max_steps_;
  Callbacks callbacks_;
  std::atomic<size_t> connected_links_ = 0;
  std::atomic<size_t> known_links_ = 0;

  // Never connected. gRPC starts its event engine with the first channel and ends it, waiting for
  // its threads, with the last: while this one is there, neither comes with a reconnect.
  const std::shared_ptr<grpc::Channel> keeps_engine_ =
      grpc::CreateChannel("unix:/", grpc::InsecureChannelCredentials());
  absl::Mutex mutex_;
  grpc::CompletionQueue queue_;
  ServerPool servers_ ABSL_GUARDED_BY(mutex_){queue_};
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
