#include "server/auth/verification_cache.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>

#include "tests/server/auth/client.h"

namespace sasld {
namespace {

const VerificationCache::Limits kLimits{100, absl::Minutes(10)};

PasswordClaim Claim(std::string_view name, std::string_view password) {
  return {Username::Prepare(name).value(), Secret(password)};
}
Secret Key() { return Secret(std::string(32, 'k')); }

TEST(VerificationCache, HoldsWhatItWasToldAndNothingElse) {
  VerificationCache cache(kLimits, Key());
  EXPECT_FALSE(cache.Holds(Claim("ann", "secret"), "smtp", 7, kNow));
  cache.Remember(Claim("ann", "secret"), "smtp", 7, kNow);
  EXPECT_TRUE(cache.Holds(Claim("ann", "secret"), "smtp", 7, kNow));
  EXPECT_FALSE(cache.Holds(Claim("ann", "Secret"), "smtp", 7, kNow));
  EXPECT_FALSE(cache.Holds(Claim("ben", "secret"), "smtp", 7, kNow));
  EXPECT_FALSE(cache.Holds(Claim("ann", "secret"), "imap", 7, kNow));
  EXPECT_FALSE(cache.Holds(Claim("ann", "secret"), "smtp", 8, kNow));
  EXPECT_FALSE(cache.Holds(Claim("ann", "secret"), "smtp", 6, kNow));
  // However the fields are cut.
  cache.Remember(Claim("ann", "pimap"), "sm", 7, kNow);
  EXPECT_FALSE(cache.Holds(Claim("ann", "imap"), "smp", 7, kNow));
}

TEST(VerificationCache, ForgetsByTimeSinceTheHash) {
  VerificationCache cache(kLimits, Key());
  cache.Remember(Claim("ann", "secret"), "smtp", 7, kNow);
  const absl::Time last = kNow + kLimits.lifetime - absl::Nanoseconds(1);
  EXPECT_TRUE(cache.Holds(Claim("ann", "secret"), "smtp", 7, last));
  EXPECT_FALSE(cache.Holds(Claim("ann", "secret"), "smtp", 7, kNow + kLimits.lifetime));
  cache.Remember(Claim("ann", "secret"), "smtp", 7, kNow + kLimits.lifetime);
  EXPECT_TRUE(cache.Holds(Claim("ann", "secret"), "smtp", 7, last + kLimits.lifetime));
}

TEST(VerificationCache, IsBounded) {
  VerificationCache cache(kLimits, Key());
  for (int i = 0; i < 1000; ++i) {
    cache.Remember(Claim("user" + std::to_string(i), "secret"), "smtp", 7, kNow);
    EXPECT_LE(cache.size(), kLimits.entries);
  }
  EXPECT_TRUE(cache.Holds(Claim("user999", "secret"), "smtp", 7, kNow));
  EXPECT_FALSE(cache.Holds(Claim("user0", "secret"), "smtp", 7, kNow));
}

TEST(VerificationCache, IsSwitchedOffByEitherLimit) {
  for (const VerificationCache::Limits off :
       {VerificationCache::Limits{0, absl::Minutes(10)},
        VerificationCache::Limits{100, absl::ZeroDuration()}}) {
    VerificationCache cache(off, Key());
    EXPECT_FALSE(cache.enabled());
    cache.Remember(Claim("ann", "secret"), "smtp", 7, kNow);
    EXPECT_EQ(cache.size(), 0u);
    EXPECT_FALSE(cache.Holds(Claim("ann", "secret"), "smtp", 7, kNow));
  }
}

// Logins with the cache on. With the lane closed nothing can be hashed.
class CachedLogin : public testing::Test {
 protected:
  void SetUp() override {
    parts.MustCreate("ann", "secret");
    ASSERT_TRUE(Grants("ann", "secret"));
  }
  StepInput Login(std::string_view name, std::string_view password) {
    return FirstStep("PLAIN", PlainMessage("", name, password));
  }
  bool Grants(std::string_view name, std::string_view password, absl::Time now = kNow) {
    return std::holds_alternative<Granted>(parts.Step(Login(name, password), now));
  }
  bool IsUndecided(StepInput input, absl::Time now = kNow) {
    return std::holds_alternative<Undecided>(parts.Step(std::move(input), now));
  }

  Parts parts{{2, 64, 64}, Parts::DefaultPolicy(), kLimits};
};

TEST_F(CachedLogin, IsNotHashedAgain) {
  parts.lane.Close();
  EXPECT_TRUE(Grants("ann", "secret"));
  EXPECT_TRUE(Grants("Ann", "secret"));
  EXPECT_TRUE(IsUndecided(Login("ann", "Secret")));
  EXPECT_TRUE(IsUndecided(Login("nobody", "secret")));
  EXPECT_TRUE(IsUndecided(Login("ann", "secret"), kNow + kLimits.lifetime));
  StepInput elsewhere = Login("ann", "secret");
  elsewhere.facts.service = "imap";
  EXPECT_TRUE(IsUndecided(std::move(elsewhere)));
}

TEST_F(CachedLogin, AWrongPasswordIsNotRemembered) {
  EXPECT_FALSE(Grants("ann", "wrong"));
  EXPECT_FALSE(Grants("nobody", "wrong"));
  EXPECT_EQ(parts.cache.size(), 1u);
}

TEST_F(CachedLogin, EndsWithWhateverChangesTheAccount) {
  ASSERT_TRUE(parts.accounts.SetEnabled("ann", false).ok());
  EXPECT_FALSE(Grants("ann", "secret"));
  ASSERT_TRUE(parts.accounts.SetEnabled("ann", true).ok());
  EXPECT_TRUE(Grants("ann", "secret"));
  ASSERT_TRUE(parts.accounts.SetPassword("ann", "new", kNow).ok());
  EXPECT_FALSE(Grants("ann", "secret"));
  EXPECT_TRUE(Grants("ann", "new"));
  ASSERT_TRUE(parts.accounts.Remove("ann").ok());
  EXPECT_FALSE(Grants("ann", "new"));
  parts.MustCreate("ann", "another");
  EXPECT_FALSE(Grants("ann", "new"));
}

TEST_F(CachedLogin, AStoreThatCannotBeReadIsTemporary) {
  parts.store.FailReads(true);
  EXPECT_TRUE(IsUndecided(Login("ann", "secret")));
}

// Eight who log in all the time while the password changes: from the moment that the change is
// told, the old one never works again.
TEST_F(CachedLogin, NoOldPasswordWorksAfterItsChange) {
  constexpr int kChanges = 20;
  const auto password = [](int generation) { return "password " + std::to_string(generation); };
  ASSERT_TRUE(parts.accounts.SetPassword("ann", password(0), kNow).ok());
  std::atomic<int> changed_to = 0;
  std::atomic<bool> stop = false;
  std::atomic<int> granted = 0;
  std::atomic<int> old_ones_granted = 0;
  std::array<std::thread, 8> clients;
  for (std::thread& client : clients) {
    client = std::thread([&] {
      while (!stop) {
        const int generation = changed_to;
        if (Grants("ann", password(generation))) ++granted;
        if (generation > 0 && Grants("ann", password(generation - 1))) ++old_ones_granted;
      }
    });
  }
  for (int generation = 1; generation <= kChanges; ++generation) {
    const int before = granted;
    while (granted < before + 16) std::this_thread::yield();
    ASSERT_TRUE(parts.accounts.SetPassword("ann", password(generation), kNow).ok());
    changed_to = generation;
  }
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_GE(granted, 16 * kChanges);
  EXPECT_EQ(old_ones_granted, 0);
}

}  // namespace
}  // namespace sasld
