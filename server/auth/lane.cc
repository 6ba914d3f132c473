#include "server/auth/lane.h"

#include <sys/resource.h>

#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "proto/common/status_macros.h"

namespace sasld {
namespace {

// Hashing yields to everything else of this process: a login by SCRAM takes microseconds and should
// not queue behind a hash for a core.
constexpr int kNiceness = 10;

}  // namespace

Lane::Lane(Limits limits, Housekeeping housekeeping)
    : limits_(limits), housekeeping_(std::move(housekeeping)) {
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

absl::Status Lane::Submit(std::string_view source, absl::Time deadline, Job job, Place* place) {
  absl::MutexLock lock(&mutex_);
  if (closing_ || queued_ >= limits_.queued) {
    refusals_.queue_full.Add();
    return absl::ResourceExhaustedError("too many password checks are waiting");
  }
  const auto found = by_name_.find(source);
  if ((found == by_name_.end() ? 0 : found->second->jobs.size()) >= limits_.per_source) {
    refusals_.source_full.Add();
    return absl::ResourceExhaustedError("too many password checks of one address are waiting");
  }
  std::list<Source>::iterator its;
  if (found != by_name_.end()) {
    its = found->second;
  } else {
    its = sources_.insert(sources_.end(), {std::string(source), {}});
    by_name_.emplace(its->name, its);
  }
  auto waiting = std::make_shared<Waiting>();
  waiting->deadline = deadline;
  waiting->job = std::move(job);
  waiting->source = its;
  waiting->position = its->jobs.insert(its->jobs.end(), waiting);
  ++queued_;
  if (place) *place = std::move(waiting);
  return absl::OkStatus();
}

absl::Status Lane::Run(std::string_view source, absl::FunctionRef<absl::Status()> work) {
  absl::Status done;
  absl::Notification finished;
  RETURN_IF_ERROR(Submit(source, absl::InfiniteFuture(), [&](Turn turn) {
    done = turn == Turn::kTooLate ? absl::UnavailableError("sasld is stopping") : work();
    finished.Notify();
  }));
  finished.WaitForNotification();
  return done;
}

// A source without jobs leaves: when it comes again, it begins behind all others.
void Lane::Remove(Waiting& waiting) {
  waiting.begun = true;
  --queued_;
  const std::list<Source>::iterator source = waiting.source;
  source->jobs.erase(waiting.position);
  if (!source->jobs.empty()) return;
  by_name_.erase(source->name);
  sources_.erase(source);
}

Lane::Place Lane::TakeNext() {
  if (sources_.empty()) return nullptr;
  sources_.splice(sources_.end(), sources_, sources_.begin());
  Place next = sources_.back().jobs.front();
  Remove(*next);
  return next;
}

bool Lane::Withdraw(const Place& place) {
  Job dropped;  // goes away without the lock
  absl::MutexLock lock(&mutex_);
  if (place->begun || absl::Now() > place->deadline) return false;
  Remove(*place);
  dropped = std::move(place->job);
  return true;
}

size_t Lane::Queued() const {
  absl::MutexLock lock(&mutex_);
  return queued_;
}

bool Lane::TimeToTidy() {
  const absl::Time now = absl::Now();
  if (now < tidy_at_) return false;
  tidy_at_ =
      std::exchange(ran_since_tidying_, false) ? now + housekeeping_.every : absl::InfiniteFuture();
  return true;
}

void Lane::Work() {
  // Linux keeps niceness for each thread; failing to lower it harms nobody.
  setpriority(PRIO_PROCESS, 0, kNiceness);
  while (true) {
    Place next;
    bool closing = false;
    bool tidy = false;
    {
      absl::MutexLock lock(&mutex_);
      const auto something_to_do = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
        return closing_ || queued_ > 0;
      };
      mutex_.AwaitWithDeadline(absl::Condition(&something_to_do), tidy_at_);
      tidy = TimeToTidy();
      next = TakeNext();
      closing = closing_;
      if (!next && closing) return;
      if (next && housekeeping_.tidy) {
        ran_since_tidying_ = true;
        if (tidy_at_ == absl::InfiniteFuture()) tidy_at_ = absl::Now() + housekeeping_.every;
      }
    }
    if (next) {
      const bool too_late = closing || absl::Now() > next->deadline;
      Job job = std::move(next->job);
      std::move(job)(too_late ? Turn::kTooLate : Turn::kRun);
    }
    if (tidy) housekeeping_.tidy();
  }
}

}  // namespace sasld
