#include "server/auth/argon2_arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sasld {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

// libargon2 hands nothing through to its allocator that could tell whose hash it is.
thread_local Argon2Arenas::Lease* lease_of_this_thread = nullptr;

void* MapAnonymous(size_t bytes) {
  return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

size_t MibOf(size_t bytes) { return (bytes + (size_t{1} << 20) - 1) >> 20; }

}  // namespace

Argon2Arena Argon2Arena::Map(size_t bytes) {
  // A huge page begins at a multiple of its size; what is mapped too much for that is cut off. The
  // last part of one stays on small pages, so that not more than `bytes` is ever taken.
  const bool huge = bytes >= kHugePage;
  const size_t mapped = huge ? bytes + kHugePage : bytes;
  void* const start = MapAnonymous(mapped);
  Argon2Arena arena;
  if (start == MAP_FAILED) return arena;
  auto* memory = static_cast<uint8_t*>(start);
  if (huge) {
    const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(memory) % kHugePage) % kHugePage;
    if (before > 0) munmap(memory, before);
    memory += before;
    constexpr size_t kSmallPage = 4096;
    const size_t whole = (bytes + kSmallPage - 1) / kSmallPage * kSmallPage;
    if (before + whole < mapped) munmap(memory + whole, mapped - before - whole);
    madvise(memory, whole, MADV_HUGEPAGE);  // a wish; without it hashing is only slower
  }
  arena.memory_ = memory;
  arena.size_ = bytes;
  return arena;
}

Argon2Arena::Argon2Arena(Argon2Arena&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Argon2Arena& Argon2Arena::operator=(Argon2Arena&& other) noexcept {
  if (this == &other) return *this;
  Unmap();
  memory_ = std::exchange(other.memory_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void Argon2Arena::Unmap() {
  if (memory_) munmap(memory_, size_);
  memory_ = nullptr;
}

Argon2Arenas::Lease::~Lease() {
  if (arena_.memory()) arenas_->Return(std::move(arena_), wiped_);
}

int Argon2Arenas::Lease::Lend(absl::FunctionRef<int()> hash) {
  lease_of_this_thread = this;
  const int result = hash();
  lease_of_this_thread = nullptr;
  return result;
}

int Argon2Arenas::Lease::Allocate(uint8_t** memory, size_t bytes) {
  Lease& lease = *lease_of_this_thread;
  *memory = nullptr;  // libargon2 looks at this, and not at what is returned
  if (bytes > lease.arena_.size()) return -1;
  lease.wiped_ = false;
  *memory = lease.arena_.memory();
  return 0;
}

// libargon2 has wiped it by now, all of it, since its first blocks would let guesses be tested at
// the price of one BLAKE2b.
void Argon2Arenas::Lease::Free(uint8_t*, size_t) { lease_of_this_thread->wiped_ = true; }

void Argon2Arenas::Lease::Touch() { std::fill_n(arena_.memory(), arena_.size(), uint8_t{0}); }

absl::StatusOr<Argon2Arenas::Lease> Argon2Arenas::Borrow(size_t bytes) {
  if (bytes > limits_.budget) {
    return absl::ResourceExhaustedError(
        absl::StrCat("an Argon2id hash of ", MibOf(bytes),
                     " MiB is more than the memory for hashing ([hashing] memory_mib) allows"));
  }
  absl::MutexLock lock(&mutex_);
  // In the order of asking, so that a large one is not overtaken by small ones for ever.
  const uint64_t ticket = next_ticket_++;
  const auto my_turn = [this, ticket, bytes]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return served_ticket_ == ticket && bytes <= limits_.budget - lent_bytes_;
  };
  mutex_.Await(absl::Condition(&my_turn));
  ++served_ticket_;
  Argon2Arena arena = TakeKept(bytes);
  if (!arena.memory()) arena = Argon2Arena::Map(bytes);
  if (!arena.memory()) return absl::ResourceExhaustedError("not enough memory for Argon2id");
  lent_bytes_ += arena.size();
  return Lease(*this, std::move(arena));
}

// One that is large enough, the one used last if there are several, as it may still be in the
// processor's caches. If there is none, makes room for it in the budget.
Argon2Arena Argon2Arenas::TakeKept(size_t bytes) {
  const auto fits = [bytes](const Kept& kept) { return kept.arena.size() >= bytes; };
  if (const auto found = std::find_if(kept_.rbegin(), kept_.rend(), fits); found != kept_.rend()) {
    Argon2Arena arena = std::move(found->arena);
    kept_.erase(std::next(found).base());
    kept_bytes_ -= arena.size();
    return arena;
  }
  while (!kept_.empty() && bytes > limits_.budget - lent_bytes_ - kept_bytes_) DropKept();
  return {};
}

// The one that was used longest ago.
void Argon2Arenas::DropKept() {
  kept_bytes_ -= kept_.front().arena.size();
  kept_.erase(kept_.begin());
}

void Argon2Arenas::Return(Argon2Arena arena, bool wiped) {
  absl::MutexLock lock(&mutex_);
  lent_bytes_ -= arena.size();
  if (!wiped || arena.size() > limits_.keep) {
    arena = Argon2Arena();  // before anybody else gets its part of the budget
    return;
  }
  kept_bytes_ += arena.size();
  kept_.push_back({std::move(arena), true});
}

void Argon2Arenas::Trim() {
  absl::MutexLock lock(&mutex_);
  std::vector<Kept> used;
  kept_bytes_ = 0;
  for (Kept& kept : kept_) {
    if (!kept.used_since_trim) continue;
    kept_bytes_ += kept.arena.size();
    used.push_back({std::move(kept.arena), false});
  }
  kept_ = std::move(used);
}

size_t Argon2Arenas::Held() const {
  absl::MutexLock lock(&mutex_);
  return kept_bytes_ + lent_bytes_;
}

}  // namespace sasld
