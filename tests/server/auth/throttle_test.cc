#include "server/auth/throttle.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>

namespace sasld {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);
absl::Time After(double seconds) { return kStart + absl::Seconds(seconds); }

class ThrottleTest : public testing::Test {
 protected:
  ThrottleTest() {
    rules.peer_failures = 5;
    rules.account_failures = 3;
    rules.window = absl::Seconds(100);
    rules.known_for = absl::Seconds(1000);
    rules.exempt = {*Network::Parse("198.51.100.0/24"), *Network::Parse("2001:db8:f::/48")};
  }

  Origin At(std::string_view ip) const { return Origin::Of(rules, ip); }
  static Username Name(std::string_view name) { return *Username::Prepare(name); }

  void Fail(std::string_view ip, std::string_view name, int times = 1, absl::Time now = kStart) {
    const Username account = Name(name);
    while (times-- > 0) throttle.Failed(rules, At(ip), &account, now);
  }
  // Of names that no test asks for.
  void FailElsewhere(std::string_view ip, int times, absl::Time now = kStart) {
    while (times-- > 0) throttle.Failed(rules, At(ip), nullptr, now);
  }
  // The account is full, by failures from everywhere.
  void FillAccount(std::string_view name, absl::Time now = kStart) {
    for (const char* ip : {"203.0.113.1", "203.0.113.2", "2001:db8::1"}) Fail(ip, name, 1, now);
  }
  void Succeed(std::string_view ip, std::string_view name, absl::Time now = kStart) {
    throttle.Succeeded(At(ip), Name(name), now);
  }
  bool AdmitsPeer(std::string_view ip, absl::Time now = kStart) const {
    return throttle.AdmitsPeer(rules, At(ip), now);
  }
  bool AdmitsAccount(std::string_view ip, std::string_view name, absl::Time now = kStart) const {
    return throttle.AdmitsAccount(rules, At(ip), Name(name), now);
  }

  ThrottleRules rules;
  Throttle throttle;
};

TEST_F(ThrottleTest, AnOriginIsWhatAClientCannotChoose) {
  EXPECT_EQ(At("192.0.2.7").peer->str(), "192.0.2.7");
  EXPECT_EQ(At("::ffff:192.0.2.7").peer, At("192.0.2.7").peer);
  EXPECT_EQ(At("2001:db8:1:2:3:4:5:6").peer->str(), "2001:db8:1:2::/64");
  EXPECT_FALSE(At("192.0.2.7").shared);
  EXPECT_TRUE(At("198.51.100.9").shared);
  EXPECT_TRUE(At("::ffff:198.51.100.9").shared);
  EXPECT_TRUE(At("2001:db8:f:1::1").shared);
  for (const char* none : {"", "unknown", "192.0.2.7x", "127.0.0.1\xff"}) {
    EXPECT_FALSE(At(none).peer.has_value()) << none;
    EXPECT_FALSE(At(none).shared) << none;
  }
}

TEST_F(ThrottleTest, LoopbackIsSharedUnlessToldOtherwise) {
  for (const char* ip : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(Origin::Of(ThrottleRules(), ip).shared) << ip;
    EXPECT_FALSE(At(ip).shared) << ip;
  }
  EXPECT_FALSE(Origin::Of(ThrottleRules(), "192.0.2.7").shared);
}

TEST_F(ThrottleTest, SoManyFailuresOfAPeerAndNoMore) {
  for (int failures = 0; failures < 5; ++failures) {
    EXPECT_TRUE(AdmitsPeer("192.0.2.7")) << failures;
    FailElsewhere("192.0.2.7", 1);
  }
  EXPECT_FALSE(AdmitsPeer("192.0.2.7"));
  EXPECT_FALSE(AdmitsPeer("::ffff:192.0.2.7"));
  EXPECT_TRUE(AdmitsPeer("192.0.2.8"));
}

TEST_F(ThrottleTest, ASlash64IsOnePeer) {
  for (int host = 0; host < 5; ++host) FailElsewhere("2001:db8:1:2::" + std::to_string(host), 1);
  EXPECT_FALSE(AdmitsPeer("2001:db8:1:2:ffff::"));
  EXPECT_TRUE(AdmitsPeer("2001:db8:1:3::1"));
}

TEST_F(ThrottleTest, CountsLeak) {
  FailElsewhere("192.0.2.7", 5);
  // One each 20 s.
  EXPECT_FALSE(AdmitsPeer("192.0.2.7", After(19.9)));
  EXPECT_TRUE(AdmitsPeer("192.0.2.7", After(20.1)));
  FailElsewhere("192.0.2.7", 1, After(20.1));
  EXPECT_FALSE(AdmitsPeer("192.0.2.7", After(39.9)));
  EXPECT_TRUE(AdmitsPeer("192.0.2.7", After(40.1)));
  // And to nothing, not below.
  FailElsewhere("192.0.2.7", 5, After(1000));
  EXPECT_FALSE(AdmitsPeer("192.0.2.7", After(1000)));
}

// Guesses that were under way together are paid for afterwards.
TEST_F(ThrottleTest, WhatWasTooMuchLeaksTheLonger) {
  FailElsewhere("192.0.2.7", 15);
  EXPECT_FALSE(AdmitsPeer("192.0.2.7", After(219)));
  EXPECT_TRUE(AdmitsPeer("192.0.2.7", After(221)));
}

TEST_F(ThrottleTest, StepsThatEndInAnotherOrderLeakOnce) {
  // Each of these could leak away what the next one counts.
  for (int i = 0; i < 10; ++i) {
    FailElsewhere("192.0.2.7", 1, After(20));
    FailElsewhere("192.0.2.7", 1, After(0));
  }
  EXPECT_FALSE(AdmitsPeer("192.0.2.7", After(20 + 319)));
  EXPECT_TRUE(AdmitsPeer("192.0.2.7", After(20 + 321)));
}

TEST_F(ThrottleTest, AClockThatWasSetBackLocksNobodyOut) {
  FailElsewhere("192.0.2.7", 5, After(1'000'000));
  EXPECT_TRUE(AdmitsPeer("192.0.2.7", After(0)));
  FailElsewhere("192.0.2.7", 5, After(0));
  EXPECT_FALSE(AdmitsPeer("192.0.2.7", After(0)));
  EXPECT_TRUE(AdmitsPeer("192.0.2.7", After(21)));
}

TEST_F(ThrottleTest, NobodyIsThePeerOfUnknownAddress) {
  FailElsewhere("", 100);
  FailElsewhere("junk", 100);
  EXPECT_TRUE(AdmitsPeer(""));
  EXPECT_TRUE(AdmitsPeer("junk"));
}

TEST_F(ThrottleTest, StrangersAreCountedTogetherForEachAccount) {
  Fail("203.0.113.1", "ann");
  Fail("203.0.113.2", "ann");
  EXPECT_TRUE(AdmitsAccount("203.0.113.9", "ann"));
  Fail("", "ann");
  EXPECT_FALSE(AdmitsAccount("203.0.113.9", "ann"));
  EXPECT_FALSE(AdmitsAccount("", "ann"));
  EXPECT_TRUE(AdmitsAccount("203.0.113.1", "ben"));
  // One each 33.3 s.
  EXPECT_FALSE(AdmitsAccount("203.0.113.9", "ann", After(33)));
  EXPECT_TRUE(AdmitsAccount("203.0.113.9", "ann", After(34)));
}

TEST_F(ThrottleTest, TheOwnerGetsInFromWhereHeDidBefore) {
  Succeed("192.0.2.7", "ann");
  Succeed("2001:db8:1:2::7", "ann");
  FillAccount("ann");
  EXPECT_FALSE(AdmitsAccount("203.0.113.9", "ann"));
  EXPECT_TRUE(AdmitsAccount("192.0.2.7", "ann"));
  EXPECT_TRUE(AdmitsAccount("2001:db8:1:2::8", "ann"));
  EXPECT_FALSE(AdmitsAccount("2001:db8:1:3::7", "ann"));
  // Of this account only.
  FillAccount("ben");
  EXPECT_FALSE(AdmitsAccount("192.0.2.7", "ben"));
}

TEST_F(ThrottleTest, AKnownPeersFailuresAreItsOwn) {
  Succeed("192.0.2.7", "ann");
  Fail("192.0.2.7", "ann", 5);
  EXPECT_FALSE(AdmitsPeer("192.0.2.7"));
  EXPECT_TRUE(AdmitsAccount("203.0.113.9", "ann"));
  EXPECT_TRUE(AdmitsPeer("203.0.113.9"));
}

// Else an account of one's own would be all it takes to guess others' without end.
TEST_F(ThrottleTest, ALoginForgivesNoFailures) {
  Fail("203.0.113.1", "ann", 3);
  FailElsewhere("203.0.113.1", 2);
  Succeed("203.0.113.1", "mallory");
  Succeed("203.0.113.2", "ann");
  EXPECT_FALSE(AdmitsPeer("203.0.113.1"));
  EXPECT_FALSE(AdmitsAccount("203.0.113.1", "ann"));
}

TEST_F(ThrottleTest, IsKnownForSoLongAfterItsLastLogin) {
  Succeed("192.0.2.7", "ann", After(0));
  FillAccount("ann", After(999));
  EXPECT_TRUE(AdmitsAccount("192.0.2.7", "ann", After(999)));
  EXPECT_FALSE(AdmitsAccount("192.0.2.7", "ann", After(1000)));
  Succeed("192.0.2.7", "ann", After(1000));
  EXPECT_TRUE(AdmitsAccount("192.0.2.7", "ann", After(1001)));
  // Then it is a stranger again.
  Fail("192.0.2.7", "ann", 3, After(2001));
  EXPECT_FALSE(AdmitsAccount("203.0.113.9", "ann", After(2001)));
}

TEST_F(ThrottleTest, UnknownAddressesAndSharedOnesAreNeverKnown) {
  for (const char* ip : {"", "198.51.100.9"}) {
    Succeed(ip, "ann");
    Fail(ip, "ann", 3);
    EXPECT_FALSE(AdmitsAccount(ip, "ann")) << ip;
  }
}

TEST_F(ThrottleTest, SharedAddressesAreNoPeers) {
  FailElsewhere("198.51.100.9", 100);
  EXPECT_TRUE(AdmitsPeer("198.51.100.9"));
}

TEST_F(ThrottleTest, ASharedAddressHasCountsOfItsOwn) {
  // Strangers elsewhere do not lock the webmail's users out,
  FillAccount("ann");
  EXPECT_TRUE(AdmitsAccount("198.51.100.9", "ann"));
  // those who guess through the webmail do not lock others out,
  Fail("198.51.100.9", "ben", 3);
  EXPECT_FALSE(AdmitsAccount("198.51.100.9", "ben"));
  EXPECT_TRUE(AdmitsAccount("203.0.113.9", "ben"));
  // and not those of another webmail, nor other users of theirs.
  EXPECT_TRUE(AdmitsAccount("198.51.100.10", "ben"));
  EXPECT_TRUE(AdmitsAccount("198.51.100.9", "cid"));
}

TEST_F(ThrottleTest, NetworksBecomeExemptAndCease) {
  const std::vector<Network> exempt = std::exchange(rules.exempt, {});
  FailElsewhere("198.51.100.9", 5);
  Succeed("198.51.100.9", "ann");
  EXPECT_FALSE(AdmitsPeer("198.51.100.9"));
  rules.exempt = exempt;
  EXPECT_TRUE(AdmitsPeer("198.51.100.9"));
  Fail("198.51.100.9", "ann", 3);
  EXPECT_FALSE(AdmitsAccount("198.51.100.9", "ann")) << "known, from before";
  FailElsewhere("198.51.100.10", 5);
  Succeed("198.51.100.10", "ben");
  rules.exempt = {};
  EXPECT_TRUE(AdmitsPeer("198.51.100.10")) << "counted while exempt";
  FillAccount("ben");
  EXPECT_FALSE(AdmitsAccount("198.51.100.10", "ben")) << "known, while exempt";
}

TEST_F(ThrottleTest, ZeroSwitchesARuleOff) {
  rules.peer_failures = 0;
  Fail("192.0.2.7", "ann", 10);
  EXPECT_TRUE(AdmitsPeer("192.0.2.7"));
  EXPECT_FALSE(AdmitsAccount("192.0.2.7", "ann"));
  rules.peer_failures = 5;
  rules.account_failures = 0;
  Fail("192.0.2.7", "ben", 10);
  EXPECT_TRUE(AdmitsAccount("192.0.2.7", "ben"));
  EXPECT_FALSE(AdmitsPeer("192.0.2.7"));
}

TEST_F(ThrottleTest, CountsOutlastAChangeOfRules) {
  Fail("192.0.2.7", "ann", 3);
  Succeed("192.0.2.8", "ann");
  rules.peer_failures = 3;
  EXPECT_FALSE(AdmitsPeer("192.0.2.7"));
  rules.peer_failures = 4;
  EXPECT_TRUE(AdmitsPeer("192.0.2.7"));
  EXPECT_FALSE(AdmitsAccount("192.0.2.7", "ann"));
  EXPECT_TRUE(AdmitsAccount("192.0.2.8", "ann"));
  rules.account_failures = 0;
  EXPECT_TRUE(AdmitsAccount("192.0.2.7", "ann"));
}

// Peers are known already when the rule is switched on.
TEST_F(ThrottleTest, LearnsWhoIsKnownWithoutTheRule) {
  rules.account_failures = 0;
  Succeed("192.0.2.7", "ann");
  rules.account_failures = 3;
  FillAccount("ann");
  EXPECT_TRUE(AdmitsAccount("192.0.2.7", "ann"));
}

TEST_F(ThrottleTest, AFloodDoesNotMakeItGrow) {
  for (size_t i = 0; i < 3 * Throttle::kMostEntries; ++i) {
    const std::string ip =
        "2001:db8:" + std::to_string(i / 10000) + ":" + std::to_string(i % 10000) + "::1";
    const std::string name = "user" + std::to_string(i);
    Fail(ip, name);
    Succeed(ip, name);
    ASSERT_LE(throttle.size(), 3 * Throttle::kMostEntries);
  }
  EXPECT_GE(throttle.size(), 3 * Throttle::kMostEntries / 2) << "less room than promised";
}

TEST_F(ThrottleTest, AFloodOfLessThanHalfItsRoomMakesNothingForgotten) {
  // Whenever it begins.
  for (size_t i = 0; i < Throttle::kMostEntries - 10; ++i) {
    if (i == Throttle::kMostEntries / 2 - 5) {
      FailElsewhere("192.0.2.7", 5);
      FillAccount("ann");
      Succeed("192.0.2.8", "ann");
    }
    const std::string ip =
        "2001:db8:" + std::to_string(i / 10000) + ":" + std::to_string(i % 10000) + "::2";
    Fail(ip, "user" + std::to_string(i));
    Succeed(ip, "user" + std::to_string(i));
  }
  EXPECT_FALSE(AdmitsPeer("192.0.2.7"));
  EXPECT_FALSE(AdmitsAccount("203.0.113.9", "ann"));
  EXPECT_TRUE(AdmitsAccount("192.0.2.8", "ann"));
}

TEST_F(ThrottleTest, OneAccountsManyAddressesPushOutItsOwnOnly) {
  FillAccount("ann");
  FillAccount("mallory");
  Succeed("192.0.2.7", "ann");
  Succeed("192.0.2.7", "mallory");
  Succeed("192.0.2.8", "mallory");
  for (size_t i = 0; i < Throttle::kMostKnownPeers - 1; ++i) {
    Succeed("2001:db8:1:" + std::to_string(i) + "::1", "mallory");
    Succeed("192.0.2.7", "mallory");  // comes again and again
  }
  EXPECT_TRUE(AdmitsAccount("192.0.2.7", "mallory"));
  EXPECT_FALSE(AdmitsAccount("192.0.2.8", "mallory"));
  EXPECT_TRUE(AdmitsAccount("192.0.2.7", "ann"));
}

TEST_F(ThrottleTest, ManyLoginsFromOneAddressPushOutNone) {
  FillAccount("ann");
  Succeed("192.0.2.8", "ann");
  for (size_t i = 0; i < 2 * Throttle::kMostKnownPeers; ++i) Succeed("192.0.2.7", "ann");
  EXPECT_TRUE(AdmitsAccount("192.0.2.8", "ann"));
}

TEST_F(ThrottleTest, ManyThreadsCountRight) {
  rules.peer_failures = 4000;
  rules.account_failures = 4000;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 1000; ++i) {
        (void)AdmitsPeer("192.0.2.7");
        (void)AdmitsAccount("192.0.2.7", "ann");
        Succeed("192.0.2.9", "ann");
        Fail("192.0.2.7", "ann");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(AdmitsPeer("192.0.2.7"));
  EXPECT_FALSE(AdmitsAccount("192.0.2.7", "ann"));
  rules.peer_failures = 4001;
  rules.account_failures = 4001;
  EXPECT_TRUE(AdmitsPeer("192.0.2.7"));
  EXPECT_TRUE(AdmitsAccount("192.0.2.7", "ann"));
}

}  // namespace
}  // namespace sasld
