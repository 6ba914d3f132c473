// Tells ThreadSanitizer what Debian's Abseil, being built without it, does not: who waited for
// whom.
//
// For builds with -fsanitize=thread only. The linker sends our calls of Abseil's mutexes and
// notifications here
// (--wrap), we pass them on. A call that is not listed makes false alarms, never hides a race.
#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

// A mutex evaluates the conditions of other threads' Await() as it is unlocked: it holds the lock
// then, but ThreadSanitizer cannot see that.
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);

namespace {
class ConditionsIgnored {
 public:
  ConditionsIgnored() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
  ConditionsIgnored(const ConditionsIgnored&) = delete;
  ConditionsIgnored& operator=(const ConditionsIgnored&) = delete;
  ~ConditionsIgnored() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
};
struct Acquired {
  absl::Mutex* mutex;
  ~Acquired() { __tsan_acquire(mutex); }
};

// Abseil's search for deadlocks keeps a graph of all locks under a lock of its own, which
// ThreadSanitizer cannot see either. The programs switch it off as well.
const bool deadlocks_unsought = [] {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return true;
}();
}  // namespace

// Mangled names of what is wrapped; CMakeLists.txt lists the same.
#define MUTEX(name) _ZN4absl7debian35Mutex##name##Ev
#define REAL_(symbol) __real_##symbol
#define REAL(symbol) REAL_(symbol)
#define WRAP_(symbol) __wrap_##symbol
#define WRAP(symbol) WRAP_(symbol)
#define LOCKS(name)                             \
  void REAL(MUTEX(name))(absl::Mutex * mutex);  \
  void WRAP(MUTEX(name))(absl::Mutex * mutex) { \
    REAL(MUTEX(name))(mutex);                   \
    __tsan_acquire(mutex);                      \
  }
#define UNLOCKS(name)                           \
  void REAL(MUTEX(name))(absl::Mutex * mutex);  \
  void WRAP(MUTEX(name))(absl::Mutex * mutex) { \
    __tsan_release(mutex);                      \
    const ConditionsIgnored ignored;            \
    REAL(MUTEX(name))(mutex);                   \
  }

// Where a status that threads share is let go of last: the count went down in Abseil's library
// before, out of sight.
extern "C" const char* __tsan_default_suppressions() {
  return "race:absl::debian3::Status::Unref\n";
}

extern "C" {
LOCKS(4Lock)
LOCKS(10ReaderLock)
UNLOCKS(6Unlock)
UNLOCKS(12ReaderUnlock)

// The mutex is let go of while one waits, with or without a limit.
#define AWAITS(symbol, result, ...)                                                       \
  result REAL(symbol)(absl::Mutex * mutex,                                                \
                      const absl::Condition& condition __VA_OPT__(, __VA_ARGS__ limit));  \
  result WRAP(symbol)(absl::Mutex * mutex,                                                \
                      const absl::Condition& condition __VA_OPT__(, __VA_ARGS__ limit)) { \
    __tsan_release(mutex);                                                                \
    const Acquired again{mutex};                                                          \
    const ConditionsIgnored ignored;                                                      \
    return REAL(symbol)(mutex, condition __VA_OPT__(, limit));                            \
  }
AWAITS(_ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE, void)
AWAITS(_ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE, bool, absl::Time)
AWAITS(_ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE, bool,
       absl::Duration)

#define NOTIFY _ZN4absl7debian312Notification6NotifyEv
void REAL(NOTIFY)(absl::Notification* notification);
void WRAP(NOTIFY)(absl::Notification* notification) {
  __tsan_release(notification);
  REAL(NOTIFY)(notification);
}

#define WAIT_NOTIFIED _ZNK4absl7debian312Notification19WaitForNotificationEv
void REAL(WAIT_NOTIFIED)(const absl::Notification* notification);
void WRAP(WAIT_NOTIFIED)(const absl::Notification* notification) {
  REAL(WAIT_NOTIFIED)(notification);
  __tsan_acquire(const_cast<absl::Notification*>(notification));
}

#define COUNT_DOWN _ZN4absl7debian315BlockingCounter14DecrementCountEv
bool REAL(COUNT_DOWN)(absl::BlockingCounter* counter);
bool WRAP(COUNT_DOWN)(absl::BlockingCounter* counter) {
  __tsan_release(counter);
  return REAL(COUNT_DOWN)(counter);
}

#define WAIT_COUNTED _ZN4absl7debian315BlockingCounter4WaitEv
void REAL(WAIT_COUNTED)(absl::BlockingCounter* counter);
void WRAP(WAIT_COUNTED)(absl::BlockingCounter* counter) {
  REAL(WAIT_COUNTED)(counter);
  __tsan_acquire(counter);
}
}
