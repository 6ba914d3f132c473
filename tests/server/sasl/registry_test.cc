#include "server/sasl/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace sasld {
namespace {

TEST(Registry, FindsNamesInAnyCase) {
  ASSERT_NE(FindMechanism("scram-sha-256"), nullptr);
  EXPECT_EQ(FindMechanism("Scram-Sha-256")->name, "SCRAM-SHA-256");
  EXPECT_EQ(FindMechanism("plain")->name, "PLAIN");
}

TEST(Registry, KnowsNoOthers) {
  for (const char* name : {"", "PLAI", "PLAINX", "CRAM-MD4", "SCRAM-SHA-256-MINUS", "APOP"}) {
    EXPECT_EQ(FindMechanism(name), nullptr) << name;
  }
}

// RFC 4422 section 3.1: 1 to 20 characters of upper case letters, digits, hyphens and underscores.
TEST(Registry, NamesAreValid) {
  for (const RegisteredMechanism& mechanism : AllMechanisms()) {
    EXPECT_GE(mechanism.name.size(), 1u);
    EXPECT_LE(mechanism.name.size(), 20u);
    EXPECT_TRUE(std::all_of(mechanism.name.begin(), mechanism.name.end(), [](char c) {
      return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    })) << mechanism.name;
  }
}

TEST(Registry, EachScramHasAVariantWithChannelBinding) {
  for (const RegisteredMechanism& mechanism : AllMechanisms()) {
    const RegisteredMechanism* plus = FindPlusVariant(mechanism);
    if (mechanism.verifier != Verifier::kScram || mechanism.properties.channel_binding) {
      EXPECT_EQ(plus, nullptr) << mechanism.name;
      continue;
    }
    ASSERT_NE(plus, nullptr) << mechanism.name;
    EXPECT_EQ(plus->name, std::string(mechanism.name) + "-PLUS");
    EXPECT_TRUE(plus->properties.channel_binding);
  }
}

TEST(Registry, WhatIsWeakIsOffUnlessSwitchedOn) {
  for (const char* name : {"CRAM-MD5", "DIGEST-MD5", "ANONYMOUS", "EXTERNAL"}) {
    EXPECT_FALSE(FindMechanism(name)->by_default) << name;
  }
  for (const char* name : {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"}) {
    EXPECT_TRUE(FindMechanism(name)->by_default) << name;
  }
}

TEST(Registry, TellsWhichSendThePassword) {
  EXPECT_TRUE(FindMechanism("PLAIN")->properties.plaintext);
  EXPECT_TRUE(FindMechanism("LOGIN")->properties.plaintext);
  EXPECT_FALSE(FindMechanism("SCRAM-SHA-256")->properties.plaintext);
  EXPECT_TRUE(FindMechanism("SCRAM-SHA-256")->properties.mutual_auth);
}

// A state of one mechanism or none is never taken by another for a finished exchange.
TEST(Registry, HostileStatesNeverSucceed) {
  const ConnectionFacts facts;
  for (const RegisteredMechanism& registered : AllMechanisms()) {
    const auto mechanism = registered.make();
    for (const std::string& state :
         {std::string(), std::string("2"), std::string("1"), std::string("2\xff\xff\xff\xff"),
          std::string(8, '\xff'), std::string("2") + std::string(16, '\xff')}) {
      for (const char* response : {"", "n,,n=a,r=b", "c=biws,r=b,p=AAAA", "x"}) {
        const Outcome outcome = mechanism->Continue(facts, state, response);
        EXPECT_FALSE(std::holds_alternative<Success>(outcome)) << registered.name;
        // Nothing to prove there.
        EXPECT_TRUE(registered.properties.anonymous ||
                    !std::holds_alternative<AnonymousSuccess>(outcome))
            << registered.name;
      }
    }
  }
}

}  // namespace
}  // namespace sasld
