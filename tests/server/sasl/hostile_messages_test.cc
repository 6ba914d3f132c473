// The honest messages of every mechanism of the registry, cut, changed, with foreign bytes in them:
// refused, unless what was changed means nothing (matching.h).
#include "tests/server/sasl/each_mechanism.h"

namespace sasld {
namespace {

class HostileMessages : public OfEachMechanism {};

TEST_P(HostileMessages, RefusesMessagesCutAtAnyLength) {
  const Played honest = Play(Honest());
  for (size_t at = 0; at < honest.responses.size(); ++at) {
    for (size_t size = 0; size < honest.responses[at].size(); ++size) {
      RefusesInstead(honest, at, honest.responses[at].substr(0, size));
      RefusesInstead(honest, at, honest.responses[at].substr(size + 1));
    }
  }
}

TEST_P(HostileMessages, RefusesMessagesWithAByteChanged) {
  const Played honest = Play(Honest());
  size_t refused = 0;
  for (size_t at = 0; at < honest.responses.size(); ++at) {
    for (size_t i = 0; i < honest.responses[at].size(); ++i) {
      for (const char mask : {'\x01', '\x20', '\x80'}) {
        std::string changed = honest.responses[at];
        changed[i] = static_cast<char>(changed[i] ^ mask);
        if (RefusesInstead(honest, at, changed)) ++refused;
      }
    }
  }
  EXPECT_TRUE(refused > 0 || honest.responses[0].empty());
}

// NUL, what is not UTF-8, what SASLprep prohibits (a control, a mark of direction, right-to-left
// text that ends in a digit, an unassigned character), and what means something to a parser.
TEST_P(HostileMessages, RefusesForeignBytesAnywhere) {
  const Played honest = Play(Honest());
  for (const std::string& foreign :
       {std::string(1, '\0'), std::string("\xff"), std::string("\xc3"), std::string("\x07"),
        std::string("\xe2\x80\x8e"), std::string("\xd8\xa7\x31"), std::string("\xf0\x9f\xa6\x84"),
        std::string(" "), std::string(","), std::string("="), std::string("\""), std::string("\\"),
        std::string("\r\n"), std::string(",x=y"), std::string(",m=x"), std::string(",r=abc"),
        std::string("user"), std::string("pencil")}) {
    for (size_t at = 0; at < honest.responses.size(); ++at) {
      for (size_t i = 0; i <= honest.responses[at].size(); ++i) {
        std::string changed = honest.responses[at];
        RefusesInstead(honest, at, changed.insert(i, foreign));
      }
    }
  }
}

TEST_P(HostileMessages, RefusesEmptyMessagesButWhereTheyMeanSomething) {
  // EXTERNAL: the identity of the certificate. ANONYMOUS: no trace.
  const bool means_something = GetParam()->name == "EXTERNAL" || GetParam()->name == "ANONYMOUS";
  for (const ServerSide& before : Play(Honest()).before) {
    ServerSide server = before;
    EXPECT_EQ(IsLetIn(server.Step("")), means_something);
  }
}

TEST_P(HostileMessages, RefusesWhatIsTooLong) {
  const Played honest = Play(Honest());
  for (size_t at = 0; at < honest.responses.size(); ++at) {
    for (const std::string& much : {std::string(65536, 'a'), std::string(65536, '\0'),
                                    std::string(65536, ','), std::string(65536, '=')}) {
      EXPECT_TRUE(RefusesInstead(honest, at, much));
      EXPECT_TRUE(RefusesInstead(honest, at, honest.responses[at] + much));
      EXPECT_TRUE(RefusesInstead(honest, at, much + honest.responses[at]));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, HostileMessages, testing::ValuesIn(EachMechanism()),
                         NameOfMechanism);

}  // namespace
}  // namespace sasld
