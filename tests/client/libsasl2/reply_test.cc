#include "client/libsasl2/reply.h"

#include <gtest/gtest.h>

#include <string>

namespace sasld::libsasl2 {
namespace {

template <class Kind>
const Kind* Is(const Reply& reply) {
  return std::get_if<Kind>(&reply);
}

TEST(Reply, IsAChallenge) {
  Reply reply = ParseReply("CONT\t1\tcj0x");
  ASSERT_TRUE(Is<Challenge>(reply));
  EXPECT_EQ(Is<Challenge>(reply)->base64, "cj0x");
  EXPECT_EQ(Is<Challenge>(reply)->binding_type, "");
  EXPECT_EQ(Is<Challenge>(ParseReply("CONT\t1\t"))->base64, "");
}

TEST(Reply, AsksForChannelBindingData) {
  Reply reply = ParseReply("CONT\t1\tcj0x\tchannel_binding=tls-exporter");
  ASSERT_TRUE(Is<Challenge>(reply));
  EXPECT_EQ(Is<Challenge>(reply)->binding_type, "tls-exporter");
}

TEST(Reply, IsSuccessOfOneOrOfTwoNames) {
  Reply reply = ParseReply("OK\t1\tuser=ann@example.org\tresp=dj0x");
  ASSERT_TRUE(Is<Success>(reply));
  EXPECT_EQ(Is<Success>(reply)->authzid, "ann@example.org");
  EXPECT_EQ(Is<Success>(reply)->authcid, "ann@example.org");
  EXPECT_EQ(Is<Success>(reply)->base64, "dj0x");

  reply = ParseReply("OK\t1\tuser=ann\toriginal_user=admin\tauth_user=admin");
  ASSERT_TRUE(Is<Success>(reply));
  EXPECT_EQ(Is<Success>(reply)->authzid, "ann");
  EXPECT_EQ(Is<Success>(reply)->authcid, "admin");
  EXPECT_FALSE(Is<Success>(reply)->base64);
  EXPECT_EQ(Is<Success>(ParseReply("OK\t1\tuser=ann\tresp="))->base64, "");
}

TEST(Reply, IsNoSuccessOfNobody) {
  for (const char* line : {"OK\t1", "OK\t1\t", "OK\t1\tuser", "OK\t1\tuser=", "OK\t1\tusername=ann",
                           "OK\t1\toriginal_user=ann"}) {
    EXPECT_TRUE(Is<Violation>(ParseReply(line))) << line;
  }
}

TEST(Reply, TellsTryLaterFromRefusal) {
  Reply reply = ParseReply("FAIL\t1\tuser=ann\treason=Password expired");
  ASSERT_TRUE(Is<Refusal>(reply));
  EXPECT_EQ(Is<Refusal>(reply)->reason, "Password expired");
  EXPECT_TRUE(Is<Refusal>(ParseReply("FAIL\t1")));
  EXPECT_TRUE(Is<Refusal>(ParseReply("FAIL\t1\tcode=user_disabled")));
  EXPECT_TRUE(Is<Refusal>(ParseReply("FAIL\t1\tuser=temp\treason=temp")));
  EXPECT_TRUE(Is<TryLater>(ParseReply("FAIL\t1\ttemp\tcode=temp_fail")));
  EXPECT_TRUE(Is<TryLater>(ParseReply("FAIL\t1\tcode=temp_fail")));
  EXPECT_TRUE(Is<TryLater>(ParseReply("FAIL\t1\tuser=ann\ttemp")));
}

TEST(Reply, IsNoneForAnyOtherLine) {
  for (const char* line :
       {"", "\t", "VERSION\t1\t4", "MECH\tPLAIN", "DONE", "OK", "OK\t2\tuser=ann",
        "OK\t01\tuser=ann", "OK\t11\tuser=ann", "ok\t1\tuser=ann", "OKAY\t1\tuser=ann",
        "OK 1 user=ann", "FAIL\t", "CONT\t-1\t"}) {
    EXPECT_TRUE(Is<NotAReply>(ParseReply(line))) << line;
  }
}

TEST(Version, IsOurs) {
  EXPECT_TRUE(IsVersion1("VERSION\t1\t2"));
  EXPECT_TRUE(IsVersion1("VERSION\t1\t99"));
  EXPECT_FALSE(IsVersion1("VERSION\t2\t0"));
  EXPECT_FALSE(IsVersion1("VERSION\t11\t0"));
  EXPECT_FALSE(IsVersion1("220 mail.example.org ESMTP"));
}

TEST(Name, HasNoControlCharactersAndAnEnd) {
  EXPECT_TRUE(IsName("ann@example.org"));
  EXPECT_TRUE(IsName("ann smith"));
  EXPECT_TRUE(IsName("j\xc3\xb6rg@example.org"));
  EXPECT_TRUE(IsName(std::string(kMaxNameBytes, 'a')));
  EXPECT_FALSE(IsName(std::string(kMaxNameBytes + 1, 'a')));
  EXPECT_FALSE(IsName(""));
  EXPECT_FALSE(IsName("ann\x01n"));  // an escaped LF
  EXPECT_FALSE(IsName(std::string_view("ann\0", 4)));
  EXPECT_FALSE(IsName("ann\x7f"));
}

}  // namespace
}  // namespace sasld::libsasl2
