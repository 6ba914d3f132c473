// A lane: a fixed number of threads and a bounded queue that refuses when full. Slow work waits
// here, so that it never stands before quick work.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace sasld {

// Thread-safe.
class Lane {
 public:
  struct Limits {
    size_t threads = 1;
    size_t queued = 256;      // jobs that wait, of all sources
    size_t per_source = 128;  // jobs that wait, of one source
  };
  enum class Turn {
    kRun,
    kTooLate,  // the deadline passed while it waited, or the lane is closing: do not start
  };
  using Job = absl::AnyInvocable<void(Turn) &&>;

  explicit Lane(Limits limits);
  ~Lane() { Close(); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Each job that was taken is called exactly once, on a thread of the lane. ResourceExhausted, at
  // once: the queue is full, or this source has its share of it; the job is dropped uncalled.
  absl::Status Submit(std::string_view source, absl::Time deadline, Job job);

  // Ends what runs, tells what waits that it is too late, and joins. Later jobs are refused. Call
  // it before what the jobs use goes away. Once, from one thread.
  void Close();

  size_t Queued() const;
  const Limits& limits() const { return limits_; }

 private:
  struct Waiting {
    std::string source;
    absl::Time deadline;
    Job job;
  };
  void Work();

  const Limits limits_;
  mutable absl::Mutex mutex_;
  std::deque<Waiting> queue_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<std::string, size_t> waiting_by_source_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace sasld
