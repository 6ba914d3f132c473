#include "storage/record_keys.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sasld {
namespace {

Secret Key(char byte) { return Secret(std::string(32, byte)); }

struct OneKey {
  OneKey() { keys.Add(7, Key('k')); }
  RecordKeys keys;
};

TEST(RecordKeys, OpenWhatTheySealed) {
  OneKey one;
  const std::string sealed = one.keys.Seal("ann", 4, Secret("verifiers"));
  EXPECT_EQ(one.keys.Open("ann", 4, sealed)->Reveal(), "verifiers");
  EXPECT_EQ(sealed.find("verifiers"), std::string::npos);
  EXPECT_EQ(RecordKeys::KeyIdOf(sealed), 7u);
  EXPECT_EQ(one.keys.Open("ann", 4, one.keys.Seal("ann", 4, Secret()))->size(), 0u);
}

TEST(RecordKeys, SealEachTimeAnew) {
  OneKey one;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(seen.insert(one.keys.Seal("ann", 4, Secret("same"))).second);
  }
}

TEST(RecordKeys, NoticeEveryChangedByte) {
  OneKey one;
  const std::string sealed = one.keys.Seal("ann", 4, Secret("verifiers"));
  for (size_t at = 0; at < sealed.size(); ++at) {
    std::string changed = sealed;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_TRUE(absl::IsDataLoss(one.keys.Open("ann", 4, changed).status())) << at;
    EXPECT_FALSE(one.keys.Open("ann", 4, std::string_view(sealed).substr(0, at)).ok()) << at;
  }
  EXPECT_FALSE(one.keys.Open("ann", 4, sealed + "x").ok());
}

TEST(RecordKeys, TellKindsApart) {
  OneKey one;
  const std::string sealed = one.keys.Seal("example.org", 4, Secret("x"), RecordKind::kDomain);
  EXPECT_TRUE(one.keys.Open("example.org", 4, sealed, RecordKind::kDomain).ok());
  EXPECT_TRUE(absl::IsDataLoss(one.keys.Open("example.org", 4, sealed).status()));
  const std::string account = one.keys.Seal("example.org", 4, Secret("x"));
  EXPECT_EQ(one.keys.Open("example.org", 4, account, RecordKind::kDomain).status().message(),
            "a domain that was changed by another than sasld");
}

TEST(RecordKeys, AreBoundToNameAndEpoch) {
  OneKey one;
  const std::string sealed = one.keys.Seal("ann", 4, Secret("verifiers"));
  EXPECT_FALSE(one.keys.Open("ben", 4, sealed).ok());
  EXPECT_FALSE(one.keys.Open("ann", 5, sealed).ok());
}

TEST(RecordKeys, SealUnderTheNewestAndOpenUnderAll) {
  OneKey one;
  const std::string old = one.keys.Seal("ann", 4, Secret("old"));
  one.keys.Add(9, Key('n'));
  one.keys.Add(8, Key('m'));
  EXPECT_EQ(one.keys.current(), 9u);
  const std::string fresh = one.keys.Seal("ann", 4, Secret("new"));
  EXPECT_EQ(RecordKeys::KeyIdOf(fresh), 9u);
  EXPECT_EQ(one.keys.Open("ann", 4, old)->Reveal(), "old");
  EXPECT_EQ(one.keys.Open("ann", 4, fresh)->Reveal(), "new");
  one.keys.Drop(7);
  const absl::Status status = one.keys.Open("ann", 4, old).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_NE(status.message().find("key 7"), std::string::npos) << status;
}

TEST(RecordKeys, ASameIdOfAnotherKeyOpensNothing) {
  OneKey one;
  RecordKeys other;
  other.Add(7, Key('x'));
  EXPECT_FALSE(other.Open("ann", 4, one.keys.Seal("ann", 4, Secret("verifiers"))).ok());
}

}  // namespace
}  // namespace sasld
