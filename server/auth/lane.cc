#include "server/auth/lane.h"

#include <sys/resource.h>

#include <utility>

#include "absl/time/clock.h"

namespace sasld {
namespace {

// Hashing yields to everything else of this process: a login by SCRAM takes microseconds and should
// not queue behind a hash for a core.
constexpr int kNiceness = 10;

}  // namespace

Lane::Lane(Limits limits) : limits_(limits) {
  threads_.reserve(limits_.threads);
  for (size_t i = 0; i < limits_.threads; ++i) threads_.emplace_back([this] { Work(); });
}

void Lane::Close() {
  {
    absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

absl::Status Lane::Submit(std::string_view source, absl::Time deadline, Job job) {
  absl::MutexLock lock(&mutex_);
  if (closing_ || queue_.size() >= limits_.queued) {
    return absl::ResourceExhaustedError("too many password checks are waiting");
  }
  size_t& waiting = waiting_by_source_[std::string(source)];
  if (waiting >= limits_.per_source) {
    return absl::ResourceExhaustedError("too many password checks of one address are waiting");
  }
  ++waiting;
  queue_.push_back({std::string(source), deadline, std::move(job)});
  return absl::OkStatus();
}

size_t Lane::Queued() const {
  absl::MutexLock lock(&mutex_);
  return queue_.size();
}

void Lane::Work() {
  // Linux keeps niceness for each thread; failing to lower it harms nobody.
  setpriority(PRIO_PROCESS, 0, kNiceness);
  while (true) {
    Waiting next;
    bool closing = false;
    {
      absl::MutexLock lock(&mutex_);
      const auto something_to_do = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
        return closing_ || !queue_.empty();
      };
      mutex_.Await(absl::Condition(&something_to_do));
      if (queue_.empty()) return;
      next = std::move(queue_.front());
      queue_.pop_front();
      if (--waiting_by_source_[next.source] == 0) waiting_by_source_.erase(next.source);
      closing = closing_;
    }
    const bool too_late = closing || absl::Now() > next.deadline;
    std::move(next.job)(too_late ? Turn::kTooLate : Turn::kRun);
  }
}

}  // namespace sasld
