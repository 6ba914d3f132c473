#include "server/sasl/sealed_state.h"

#include <gtest/gtest.h>

#include <set>

namespace sasld {
namespace {

const std::string kSalt(kStateSaltBytes, 's');
const Secret& Key() {
  static const auto* key = new Secret(std::string(32, 'k'));
  return *key;
}

TEST(SealedState, OpensWhatWasSealed) {
  const StateSealer sealer(Key(), kSalt);
  for (const size_t bytes : {0, 1, 15, 16, 17, 4000}) {
    const std::string state(bytes, 'x');
    EXPECT_EQ(sealer.Open("binding", sealer.Seal(bytes, "binding", state)), state);
  }
}

TEST(SealedState, AnotherProcessWithTheSameKeyOpensIt) {
  const StateSealer one(Key(), kSalt);
  const StateSealer other(Key(), std::string(kStateSaltBytes, 't'));
  EXPECT_EQ(other.Open("b", one.Seal(1, "b", "state")), "state");
}

TEST(SealedState, AnotherKeyDoesNot) {
  const StateSealer one(Key(), kSalt);
  const StateSealer other(Secret(std::string(32, 'q')), kSalt);
  EXPECT_FALSE(other.Open("b", one.Seal(1, "b", "state")).has_value());
}

TEST(SealedState, AnotherBindingDoesNotOpenIt) {
  const StateSealer sealer(Key(), kSalt);
  const std::string sealed = sealer.Seal(1, "connection 1", "state");
  EXPECT_FALSE(sealer.Open("connection 2", sealed).has_value());
  EXPECT_FALSE(sealer.Open("", sealed).has_value());
}

TEST(SealedState, EveryChangedBitIsNoticed) {
  const StateSealer sealer(Key(), kSalt);
  const std::string sealed = sealer.Seal(7, "b", "state");
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string changed = sealed;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(sealer.Open("b", changed).has_value()) << bit;
  }
}

TEST(SealedState, EveryPrefixIsRefused) {
  const StateSealer sealer(Key(), kSalt);
  const std::string sealed = sealer.Seal(7, "b", "state");
  for (size_t length = 0; length < sealed.size(); ++length) {
    EXPECT_FALSE(sealer.Open("b", sealed.substr(0, length)).has_value());
  }
}

TEST(SealedState, SameStateSealedTwiceLooksDifferentAndHidesIt) {
  const StateSealer sealer(Key(), kSalt);
  std::set<std::string> seen;
  for (uint64_t counter = 0; counter < 100; ++counter) {
    const std::string sealed = sealer.Seal(counter, "b", "the user's name");
    EXPECT_EQ(sealed.find("user"), std::string::npos);
    EXPECT_TRUE(seen.insert(sealed).second);
  }
}

// After the key was changed and the process started anew.
TEST(SealedState, OpensWhatWasSealedUnderAKeyBefore) {
  const StateSealer before(Key(), kSalt);
  std::vector<Secret> keys;
  keys.push_back(Secret(std::string(32, 'n')));
  keys.push_back(Key().Clone());
  const StateSealer after(std::move(keys), std::string(kStateSaltBytes, 't'));
  EXPECT_EQ(after.Open("binding", before.Seal(1, "binding", "state")), "state");
  EXPECT_FALSE(before.Open("binding", after.Seal(1, "binding", "state")).has_value())
      << "sealed under the new one";
}

}  // namespace
}  // namespace sasld
