// The memory that Argon2id works in, kept from one hash to the next and within a budget. Fresh
// memory for a hash of 64 MiB costs 16,385 page faults and 140 ms in the kernel, kept memory none:
// 180 ms of CPU instead of 500 on a busy machine. Huge pages take off another 2 to 10 %.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace sasld {

// Zeroed memory of its own mapping, on huge pages where the kernel has some.
class Argon2Arena {
 public:
  Argon2Arena() = default;
  // Empty if there is no memory.
  static Argon2Arena Map(size_t bytes);
  Argon2Arena(Argon2Arena&& other) noexcept;
  Argon2Arena& operator=(Argon2Arena&& other) noexcept;
  Argon2Arena(const Argon2Arena&) = delete;
  Argon2Arena& operator=(const Argon2Arena&) = delete;
  ~Argon2Arena() { Unmap(); }

  uint8_t* memory() const { return memory_; }
  size_t size() const { return size_; }

 private:
  void Unmap();
  uint8_t* memory_ = nullptr;
  size_t size_ = 0;
};

// Thread-safe. Must outlive what was borrowed.
class Argon2Arenas {
 public:
  struct Limits {
    size_t budget;  // bytes of all arenas, in use or kept
    size_t keep;    // bytes; a larger arena goes back to the system after its hash
  };

  // An arena while one hash uses it.
  class Lease {
   public:
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();

    // Calls `hash`, in which this thread's libargon2 gets its memory here if its context names
    // Allocate and Free. Yields what `hash` yields.
    int Lend(absl::FunctionRef<int()> hash);
    static int Allocate(uint8_t** memory, size_t bytes);
    static void Free(uint8_t* memory, size_t bytes);
    // Has all its pages come in now, and not while something is measured.
    void Touch();

    const Argon2Arena& arena() const { return arena_; }

   private:
    friend class Argon2Arenas;
    Lease(Argon2Arenas& arenas, Argon2Arena arena) : arenas_(&arenas), arena_(std::move(arena)) {}
    Argon2Arenas* arenas_;
    Argon2Arena arena_;
    // libargon2 does not wipe what it leaves in the middle, such as without a thread.
    bool wiped_ = true;
  };

  explicit Argon2Arenas(Limits limits) : limits_(limits) {}
  Argon2Arenas(const Argon2Arenas&) = delete;
  Argon2Arenas& operator=(const Argon2Arenas&) = delete;

  // Waits, in the order of asking, until the budget has room beside what others use.
  // ResourceExhausted: it never will, or the system has no memory.
  absl::StatusOr<Lease> Borrow(size_t bytes);
  // Gives back to the system what was not used since the call before.
  void Trim();

  // Bytes mapped now, in use or kept.
  size_t Held() const;

 private:
  struct Kept {
    Argon2Arena arena;
    bool used_since_trim;
  };
  void Return(Argon2Arena arena, bool wiped);
  Argon2Arena TakeKept(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropKept() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Limits limits_;
  mutable absl::Mutex mutex_;
  std::vector<Kept> kept_ ABSL_GUARDED_BY(mutex_);  // the one used last at the end
  size_t kept_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t lent_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_ticket_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t served_ticket_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sasld
