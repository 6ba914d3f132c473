#include "server/auth/argon2_arena.h"

#include <argon2.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace sasld {
namespace {

constexpr size_t kMib = size_t{1} << 20;

bool AllZero(const Argon2Arena& arena) {
  return std::all_of(arena.memory(), arena.memory() + arena.size(), [](uint8_t b) { return !b; });
}

TEST(Argon2Arena, IsZeroedAndWritableThroughout) {
  for (const size_t bytes : {size_t{1024}, size_t{65'000}, 2 * kMib, 5 * kMib + 1024}) {
    const Argon2Arena arena = Argon2Arena::Map(bytes);
    ASSERT_NE(arena.memory(), nullptr);
    EXPECT_EQ(arena.size(), bytes);
    EXPECT_TRUE(AllZero(arena));
    std::fill_n(arena.memory(), bytes, uint8_t{1});
  }
  EXPECT_EQ(Argon2Arena::Map(size_t{1} << 60).memory(), nullptr);
}

TEST(Argon2Arenas, OneIsUsedAgain) {
  Argon2Arenas arenas({10 * kMib, kMib});
  const uint8_t* const first = arenas.Borrow(kMib)->arena().memory();
  EXPECT_EQ(arenas.Held(), kMib);
  EXPECT_EQ(arenas.Borrow(kMib)->arena().memory(), first);
  EXPECT_EQ(arenas.Borrow(kMib / 2)->arena().memory(), first);
  EXPECT_EQ(arenas.Held(), kMib);
}

TEST(Argon2Arenas, TwoAtATimeAreTwo) {
  Argon2Arenas arenas({10 * kMib, kMib});
  {
    const auto one = arenas.Borrow(kMib);
    const auto other = arenas.Borrow(kMib);
    EXPECT_NE(one->arena().memory(), other->arena().memory());
  }
  EXPECT_EQ(arenas.Held(), 2 * kMib);
}

TEST(Argon2Arenas, ALargeOneIsNotKept) {
  Argon2Arenas arenas({10 * kMib, kMib});
  {
    const auto large = arenas.Borrow(4 * kMib);
    EXPECT_EQ(arenas.Held(), 4 * kMib);
  }
  EXPECT_EQ(arenas.Held(), 0u);
}

TEST(Argon2Arenas, WhatIsNotUsedForAWhileGoesBack) {
  Argon2Arenas arenas({10 * kMib, kMib});
  {
    const auto one = arenas.Borrow(kMib);
    const auto other = arenas.Borrow(kMib);
  }
  arenas.Trim();
  EXPECT_EQ(arenas.Held(), 2 * kMib);
  (void)arenas.Borrow(kMib);
  arenas.Trim();
  EXPECT_EQ(arenas.Held(), kMib);
  arenas.Trim();
  EXPECT_EQ(arenas.Held(), 0u);
}

TEST(Argon2Arenas, KeptOnesMakeRoomInTheBudget) {
  Argon2Arenas arenas({3 * kMib, kMib});
  {
    const auto one = arenas.Borrow(kMib);
    const auto other = arenas.Borrow(kMib);
  }
  const auto large = arenas.Borrow(3 * kMib);
  ASSERT_TRUE(large.ok());
  EXPECT_EQ(arenas.Held(), 3 * kMib);
}

TEST(Argon2Arenas, WhatNeverFitsIsRefused) {
  Argon2Arenas arenas({3 * kMib, kMib});
  EXPECT_TRUE(absl::IsResourceExhausted(arenas.Borrow(3 * kMib + 1).status()));
  Argon2Arenas vast({size_t{1} << 62, kMib});
  EXPECT_TRUE(absl::IsResourceExhausted(vast.Borrow(size_t{1} << 60).status()));
  EXPECT_TRUE(vast.Borrow(kMib).ok());
}

TEST(Argon2Arenas, NeverHoldMoreThanTheBudget) {
  Argon2Arenas arenas({4 * kMib, kMib});
  std::optional<Argon2Arenas::Lease> small = arenas.Borrow(kMib).value();
  std::atomic<bool> large_came = false;
  std::atomic<size_t> most = 0;
  std::thread large([&] {
    const auto lease = arenas.Borrow(4 * kMib);
    most = arenas.Held();
    large_came = true;
  });
  EXPECT_FALSE(large_came);
  small.reset();
  large.join();
  EXPECT_EQ(most, 4 * kMib);
  // Many at a time, of both kinds; the memory in use never goes beyond the budget.
  std::vector<std::thread> threads;
  std::atomic<size_t> in_use = 0;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, bytes = i % 2 == 0 ? kMib : 3 * kMib] {
      for (int round = 0; round < 200; ++round) {
        const auto lease = arenas.Borrow(bytes);
        EXPECT_LE(in_use += bytes, 4 * kMib);
        EXPECT_LE(arenas.Held(), 4 * kMib);
        in_use -= bytes;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

int HashIn(Argon2Arenas::Lease& lease, uint32_t memory_kib) {
  uint8_t out[32];
  std::string password = "secret";
  std::string salt = "0123456789abcdef";
  argon2_context context{};
  context.out = out;
  context.outlen = sizeof out;
  context.pwd = reinterpret_cast<uint8_t*>(password.data());
  context.pwdlen = static_cast<uint32_t>(password.size());
  context.salt = reinterpret_cast<uint8_t*>(salt.data());
  context.saltlen = static_cast<uint32_t>(salt.size());
  context.t_cost = 1;
  context.m_cost = memory_kib;
  context.lanes = context.threads = 2;
  context.version = ARGON2_VERSION_13;
  context.allocate_cbk = Argon2Arenas::Lease::Allocate;
  context.free_cbk = Argon2Arenas::Lease::Free;
  return lease.Lend([&context] { return argon2id_ctx(&context); });
}

TEST(Argon2Arenas, AHashLeavesNothingBehind) {
  Argon2Arenas arenas({kMib, kMib});
  auto lease = arenas.Borrow(kMib);
  std::fill_n(lease->arena().memory(), kMib, uint8_t{1});
  ASSERT_EQ(HashIn(*lease, 1024), ARGON2_OK);
  EXPECT_TRUE(AllZero(lease->arena()));
}

TEST(Argon2Arenas, AHashThatNeedsMoreThanWasBorrowedFails) {
  Argon2Arenas arenas({kMib, kMib});
  {
    auto lease = arenas.Borrow(kMib);
    EXPECT_EQ(HashIn(*lease, 1032), ARGON2_MEMORY_ALLOCATION_ERROR);
  }
  EXPECT_EQ(arenas.Held(), kMib);
}

// As when libargon2 gets no thread in the middle.
TEST(Argon2Arenas, WhatWasNotWipedIsNotKept) {
  Argon2Arenas arenas({kMib, kMib});
  uint8_t* memory = nullptr;
  arenas.Borrow(kMib)->Lend([&memory] { return Argon2Arenas::Lease::Allocate(&memory, kMib); });
  EXPECT_NE(memory, nullptr);
  EXPECT_EQ(arenas.Held(), 0u);
}

}  // namespace
}  // namespace sasld
