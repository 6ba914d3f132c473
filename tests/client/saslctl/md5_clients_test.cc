#include "client/saslctl/md5_clients.h"

#include <gtest/gtest.h>

namespace sasld::saslctl {
namespace {

// RFC 2195 section 2.
TEST(CramMd5Client, PlaysTheExampleOfRfc2195) {
  CramMd5Client client("tim", Password("tanstaaftanstaaf"));
  EXPECT_FALSE(client.InitialResponse().has_value());
  EXPECT_EQ(*client.Respond("<1896.697170952@postoffice.reston.mci.net>"),
            "tim b913a602c7eda7a495b4e6e7334d3890");
  EXPECT_TRUE(client.Finish(std::nullopt).ok());
  EXPECT_FALSE(client.verifies_server());
}

TEST(CramMd5Client, RefusesWhatIsNotItsDialogue) {
  EXPECT_FALSE(CramMd5Client("tim", Password("x")).Finish(std::nullopt).ok());
  EXPECT_FALSE(CramMd5Client("tim", Password("x")).Respond("").ok());
  CramMd5Client client("tim", Password("x"));
  ASSERT_TRUE(client.Respond("<1@x>").ok());
  EXPECT_FALSE(client.Respond("<2@x>").ok());
}

TEST(CramMd5Client, PreparesNameAndPassword) {
  EXPECT_EQ(*CramMd5Client("I\u00ADX", Password("\u2168")).Respond("<1@x>"),
            *CramMd5Client("IX", Password("IX")).Respond("<1@x>"));
}

// RFC 2831 section 4.
constexpr char kChallenge[] =
    "realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",qop=\"auth\",algorithm=md5-sess,"
    "charset=utf-8";
constexpr char kRspauth[] = "rspauth=ea40f60335c427b5527b84dbabcdfffd";

DigestMd5Client Chris(std::string_view name = "chris", std::string_view password = "secret") {
  return DigestMd5Client(name, Password(password), "imap", "OA6MHXh6VqTrRk");
}

TEST(DigestMd5Client, PlaysTheExampleOfRfc2831) {
  DigestMd5Client client = Chris();
  EXPECT_FALSE(client.InitialResponse().has_value());
  EXPECT_EQ(*client.Respond(kChallenge),
            "charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\","
            "nonce=\"OA6MG9tEQGm2hh\",nc=00000001,cnonce=\"OA6MHXh6VqTrRk\","
            "digest-uri=\"imap/elwood.innosoft.com\","
            "response=d388dad90d4bbd760a152321f2143af7,qop=auth");
  EXPECT_TRUE(client.Finish(kRspauth).ok());
  EXPECT_TRUE(client.verifies_server());
}

TEST(DigestMd5Client, RefusesAWrongProofOfTheServer) {
  DigestMd5Client client = Chris();
  ASSERT_TRUE(client.Respond(kChallenge).ok());
  EXPECT_FALSE(client.Finish("rspauth=ea40f60335c427b5527b84dbabcdfffe").ok());
  EXPECT_FALSE(client.Finish("rspauth=").ok());
  EXPECT_FALSE(client.Finish(std::nullopt).ok());
  DigestMd5Client other = Chris("chris", "another");
  ASSERT_TRUE(other.Respond(kChallenge).ok());
  EXPECT_FALSE(other.Finish(kRspauth).ok());
}

TEST(DigestMd5Client, RefusesSuccessBeforeItProvedAnything) {
  EXPECT_FALSE(Chris().Finish(kRspauth).ok());
  EXPECT_FALSE(Chris().Finish("rspauth=").ok());
  DigestMd5Client client = Chris();
  ASSERT_TRUE(client.Respond(kChallenge).ok());
  EXPECT_FALSE(client.Respond(kChallenge).ok());
}

TEST(DigestMd5Client, RefusesChallengesItCannotAnswer) {
  const std::string nonce = "nonce=\"n\"";
  const std::string algorithm = "algorithm=md5-sess";
  for (const std::string& challenge :
       {std::string(), nonce, algorithm, "nonce=\"\"," + algorithm, nonce + ",algorithm=md5",
        nonce + "," + algorithm + ",qop=\"auth-int,auth-conf\"", "nonce=\"n," + algorithm,
        std::string("nonce=\"n\\"), nonce + algorithm, nonce + "," + algorithm + ",",
        "=x," + nonce + "," + algorithm}) {
    EXPECT_FALSE(Chris().Respond(challenge).ok()) << challenge;
  }
  for (const std::string& challenge :
       {nonce + "," + algorithm, nonce + ", " + algorithm + ",qop=\"auth-int,auth\"",
        algorithm + ",realm=\"a\\\"b\",realm=\"c\"," + nonce + ",future=thing"}) {
    EXPECT_TRUE(Chris().Respond(challenge).ok()) << challenge;
  }
}

TEST(DigestMd5Client, HashesLatin1AsSuch) {
  // MD5("\xe4:r:\xe4"), and of UTF-8 where a character is none of ISO 8859-1.
  const std::string challenge = "realm=\"r\",nonce=\"n\",charset=utf-8,algorithm=md5-sess";
  const auto response = [&](std::string_view name, std::string_view password) {
    const std::string message = *Chris(name, password).Respond(challenge);
    return message.substr(message.find("response=") + 9, 32);
  };
  EXPECT_EQ(response("\u00e4", "\u00e4"), "ef2e787618c532773697765123c961a6");
  EXPECT_EQ(response("\u00e4", "\u65e5"), "f41ed8c977394d93c3488934eb641772");
  EXPECT_NE(Chris("\u00e4").Respond(challenge)->find("username=\"\u00e4\""), std::string::npos);
}

}  // namespace
}  // namespace sasld::saslctl
