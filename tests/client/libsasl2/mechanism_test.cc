#include "client/libsasl2/mechanism.h"

#include <gtest/gtest.h>

namespace sasld::libsasl2 {
namespace {

TEST(MechanismLine, HasTheWordsOfDovecot) {
  std::optional<Mechanism> plain = ParseMechanismLine("MECH\tPLAIN\tplaintext");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->name, "PLAIN");
  EXPECT_TRUE(plain->plaintext);
  EXPECT_FALSE(plain->mutual_auth);

  std::optional<Mechanism> digest =
      ParseMechanismLine("MECH\tDIGEST-MD5\tdictionary\tactive\tmutual-auth");
  ASSERT_TRUE(digest);
  EXPECT_TRUE(digest->dictionary && digest->active && digest->mutual_auth);
  EXPECT_FALSE(digest->plaintext || digest->anonymous || digest->forward_secrecy);

  EXPECT_TRUE(ParseMechanismLine("MECH\tX\tprivate")->is_private);
  EXPECT_TRUE(ParseMechanismLine("MECH\tX\tanonymous")->anonymous);
  EXPECT_TRUE(ParseMechanismLine("MECH\tX\tforward-secrecy")->forward_secrecy);
  EXPECT_TRUE(ParseMechanismLine("MECH\tX\tchannel-binding")->channel_binding);
}

TEST(MechanismLine, SkipsWordsOfNewerServers) {
  std::optional<Mechanism> mechanism =
      ParseMechanismLine("MECH\tX\t\tquantum\tactive=1\tplaintext\t");
  ASSERT_TRUE(mechanism);
  EXPECT_TRUE(mechanism->plaintext);
  EXPECT_FALSE(mechanism->active);
}

TEST(MechanismLine, IsNoOtherLine) {
  for (const char* line : {"", "MECH", "MECH\t", "MECH\tplain", "MECH\tA B", "SPID\t1",
                           "MECHX\tPLAIN", "MECH\tABCDEFGHIJKLMNOPQRSTU", "DONE"}) {
    EXPECT_FALSE(ParseMechanismLine(line)) << line;
  }
}

TEST(MechanismOfName, PromisesNothingGoodOfTheUnknown) {
  std::optional<Mechanism> unknown = MechanismOfName("SPNEGO");
  ASSERT_TRUE(unknown);
  EXPECT_TRUE(unknown->plaintext);
  EXPECT_FALSE(unknown->mutual_auth || unknown->forward_secrecy);
  EXPECT_TRUE(MechanismOfName("SCRAM-SHA-512")->mutual_auth);
  EXPECT_FALSE(MechanismOfName("SCRAM-SHA-512")->plaintext);
  EXPECT_TRUE(MechanismOfName("CRAM-MD5")->active);
  EXPECT_FALSE(MechanismOfName("plain"));
  EXPECT_FALSE(MechanismOfName(""));
}

TEST(Relayed, IsAllButPrivateExternalAndPlus) {
  EXPECT_TRUE(IsRelayed(*MechanismOfName("PLAIN")));
  EXPECT_FALSE(IsRelayed(*MechanismOfName("EXTERNAL")));
  EXPECT_FALSE(IsRelayed(*MechanismOfName("SCRAM-SHA-256-PLUS")));
  EXPECT_FALSE(IsRelayed(*ParseMechanismLine("MECH\tDOVECOT-TOKEN\tprivate")));
}

}  // namespace
}  // namespace sasld::libsasl2
