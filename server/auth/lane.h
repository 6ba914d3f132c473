// A lane: a fixed number of threads and a bounded queue that refuses when full. Slow work waits
// here, so that it never stands before quick work. Sources take turns: one that has much waiting
// delays another by one job at most for each thread and other source.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/common/tally.h"

namespace sasld {

// Thread-safe. Each operation takes the same time, however much waits.
class Lane {
  struct Waiting;

 public:
  struct Limits {
    size_t threads = 1;
    size_t queued = 256;      // jobs that wait, of all sources
    size_t per_source = 128;  // jobs that wait, of one source
    friend bool operator==(const Limits&, const Limits&) = default;
  };
  enum class Turn {
    kRun,
    kTooLate,  // the deadline passed while it waited, or the lane is closing: do not start
  };
  using Job = absl::AnyInvocable<void(Turn) &&>;
  // A job's place in the queue. Empty: none.
  using Place = std::shared_ptr<Waiting>;

  // What a thread of the lane does beside the jobs: every so often while there are jobs, and twice
  // after the last. Never two at a time if it takes less than `every`.
  struct Housekeeping {
    std::function<void()> tidy;
    absl::Duration every = absl::Seconds(30);
  };

  explicit Lane(Limits limits) : Lane(limits, Housekeeping()) {}
  Lane(Limits limits, Housekeeping housekeeping);
  ~Lane() { Close(); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Each job that was taken is called exactly once, on a thread of the lane, unless it is
  // withdrawn. Jobs of one source begin in the order they came. ResourceExhausted, at once: the
  // queue is full, or this source has its share of it; the job is dropped uncalled. `place`, if
  // given, is set before the job can begin.
  absl::Status Submit(std::string_view source, absl::Time deadline, Job job,
                      Place* place = nullptr);

  // Runs `work` on the lane and waits for it: what it yields, or Unavailable if the lane closes
  // before its turn. Errors as Submit. Not from a thread of the lane.
  absl::Status Run(std::string_view source, absl::FunctionRef<absl::Status()> work);
  // As whom administrators wait for their turn among logins.
  static constexpr std::string_view kAdministration = "administration";

  // Drops a job uncalled, and frees its place. False: it has begun, or its deadline has passed, and
  // it is called as it would have been.
  bool Withdraw(const Place& place);

  // Ends what runs, tells what waits that it is too late, and joins. Later jobs are refused. Call
  // it before what the jobs use goes away. Once, from one thread.
  void Close();

  size_t Queued() const;
  // Jobs that were refused: the queue was full, or the source had its share of it.
  struct Refusals {
    Tally queue_full;
    Tally source_full;
  };
  const Refusals& refusals() const { return refusals_; }
  const Limits& limits() const { return limits_; }

 private:
  // One that has jobs waiting, oldest first; never empty.
  struct Source {
    std::string name;
    std::list<Place> jobs;
  };
  struct Waiting {
    absl::Time deadline;
    Job job;
    bool begun = false;
    std::list<Source>::iterator source{};
    std::list<Place>::iterator position{};
  };

  void Work();
  Place TakeNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remove(Waiting& waiting) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool TimeToTidy() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Limits limits_;
  const Housekeeping housekeeping_;
  Refusals refusals_;
  mutable absl::Mutex mutex_;
  std::list<Source> sources_ ABSL_GUARDED_BY(mutex_);  // the one whose turn it is first
  // The keys are the sources' own names.
  absl::flat_hash_map<std::string_view, std::list<Source>::iterator> by_name_
      ABSL_GUARDED_BY(mutex_);
  size_t queued_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  // When to tidy next; never, while there is nothing to tidy up after.
  absl::Time tidy_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  bool ran_since_tidying_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace sasld
