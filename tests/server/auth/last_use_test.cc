#include "server/auth/last_use.h"

#include <gtest/gtest.h>

#include "tests/server/auth/client.h"

namespace sasld {
namespace {

Username Name(std::string_view name) { return Username::Prepare(name).value(); }

class LastUsesOfLogins : public testing::Test {
 protected:
  void SetUp() override { parts.MustCreate("alice", "secret"); }
  std::map<std::string, LastUse> Written(const char* name = "alice") {
    EXPECT_TRUE(parts.last_uses.Flush().ok());
    return parts.store.UsesOf(Name(name)).value();
  }
  Parts parts{{1, 64, 64}, EveryMechanism()};
};

TEST_F(LastUsesOfLogins, AreThoseOfEachCredential) {
  const AddedAppPassword phone = parts.accounts.AddAppPassword("alice", {"x", {}}, kNow).value();
  std::string text;
  text.append(phone.text.Reveal());
  Play(parts, {"SCRAM-SHA-256", "alice", "secret"});
  Play(parts, {"PLAIN", "alice", text});
  Play(parts, {"PLAIN", "alice", "wrong"});
  const Epoch epoch = parts.store.Find(Name("alice"))->epoch;
  const std::map<std::string, LastUse> uses = Written();
  ASSERT_EQ(uses.size(), 2u);
  EXPECT_EQ(uses.at("").mechanism, "SCRAM-SHA-256");
  EXPECT_EQ(uses.at("").address, "192.0.2.7");
  EXPECT_EQ(uses.at("").time, kNow);
  EXPECT_EQ(uses.at(phone.id).mechanism, "PLAIN");
  EXPECT_EQ(parts.store.Find(Name("alice"))->epoch, epoch);
}

TEST_F(LastUsesOfLogins, NothingIsNotedOfARefusal) {
  ASSERT_TRUE(parts.accounts.SetEnabled("alice", false).ok());
  Play(parts, {"PLAIN", "alice", "secret"});
  EXPECT_EQ(parts.last_uses.waiting(), 0u);
}

TEST_F(LastUsesOfLogins, AnAliasCountsForTheAccount) {
  ASSERT_TRUE(parts.accounts.SetRules("alice", {.aliases = {{"al"}}}).ok());
  Play(parts, {"PLAIN", "al", "secret"});
  EXPECT_EQ(Written().size(), 1u);
}

TEST_F(LastUsesOfLogins, AFailingStoreLosesFreshnessOnly) {
  parts.store.FailWrites(true);
  EXPECT_NE(Play(parts, {"PLAIN", "alice", "secret"}).granted(), nullptr);
  EXPECT_TRUE(absl::IsUnavailable(parts.last_uses.Flush()));
  EXPECT_EQ(parts.last_uses.waiting(), 1u);
  parts.store.FailWrites(false);
  EXPECT_EQ(Written().size(), 1u);
  EXPECT_EQ(parts.last_uses.waiting(), 0u);
}

TEST_F(LastUsesOfLogins, AreWrittenInBatches) {
  for (size_t i = 0; i < LastUses::kBatch + 5; ++i) {
    parts.last_uses.Note(Name("nobody" + std::to_string(i)), "", {kNow, "", "PLAIN"});
  }
  parts.last_uses.Note(Name("alice"), "", {kNow, "", "PLAIN"});
  EXPECT_EQ(Written().size(), 1u);
}

TEST(LastUses, TheLastOneOfACredentialCounts) {
  Parts parts;
  parts.MustCreate("alice", "secret");
  for (int i = 0; i < 3; ++i) {
    parts.last_uses.Note(Name("alice"), "", {kNow + absl::Seconds(i), "", "PLAIN"});
  }
  EXPECT_EQ(parts.last_uses.waiting(), 1u);
  ASSERT_TRUE(parts.last_uses.Flush().ok());
  EXPECT_EQ(parts.store.UsesOf(Name("alice"))->at("").time, kNow + absl::Seconds(2));
}

TEST(LastUses, HasABound) {
  Parts parts;
  for (size_t i = 0; i < LastUses::kMostWaiting + 10; ++i) {
    parts.last_uses.Note(Username::FromPrepared(std::to_string(i)), "", {kNow, "", "PLAIN"});
  }
  EXPECT_EQ(parts.last_uses.waiting(), LastUses::kMostWaiting);
}

}  // namespace
}  // namespace sasld
