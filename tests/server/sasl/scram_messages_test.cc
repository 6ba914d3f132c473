#include "server/sasl/scram_messages.h"

#include <gtest/gtest.h>

namespace sasld {
namespace {

TEST(ScramMessages, ClientFirstIsSlicedNotReprinted) {
  const std::string message = "n,a=b=2Cc,n=us=3Der,r=nonce,x=y";
  const auto parsed = ParseClientFirst(message);
  ASSERT_TRUE(std::holds_alternative<ClientFirst>(parsed));
  const auto& first = std::get<ClientFirst>(parsed);
  EXPECT_EQ(first.gs2_header, "n,a=b=2Cc,");
  EXPECT_EQ(first.bare, "n=us=3Der,r=nonce,x=y");
  EXPECT_EQ(first.gs2_header.data(), message.data());
  EXPECT_EQ(first.authzid, "b,c");
  EXPECT_EQ(first.username, "us=er");
  EXPECT_EQ(first.nonce, "nonce");
}

TEST(ScramMessages, BindingFlagIsTold) {
  const auto flag = [](std::string_view message) {
    return std::get<ClientFirst>(ParseClientFirst(message)).binding_flag;
  };
  EXPECT_EQ(flag("n,,n=u,r=x"), ChannelBindingFlag::kNotSupported);
  EXPECT_EQ(flag("y,,n=u,r=x"), ChannelBindingFlag::kServerDoesNotOffer);
  EXPECT_EQ(flag("p=tls-unique,,n=u,r=x"), ChannelBindingFlag::kUsed);
}

TEST(ScramMessages, ErrorsNameTheFieldAndNeverItsValue) {
  const auto parsed = ParseClientFirst("n,,n=secret=zz,r=x");
  ASSERT_TRUE(std::holds_alternative<ScramSyntaxError>(parsed));
  EXPECT_EQ(std::get<ScramSyntaxError>(parsed).detail,
            "client-first with a badly encoded user name");
}

TEST(ScramMessages, PrintsServerMessages) {
  EXPECT_EQ(PrintServerFirst("abc", "salt", 4096), "r=abc,s=c2FsdA==,i=4096");
  EXPECT_EQ(PrintServerFinal("sig"), "v=c2ln");
}

// Every way to cut the honest messages short is refused or changes what is authenticated.
TEST(ScramMessages, PrefixesOfClientFinalAreRefused) {
  const std::string message = "c=biws,r=abcdef,p=AAAA";
  for (size_t length = 0; length < message.size(); ++length) {
    const auto parsed = ParseClientFinal(message.substr(0, length));
    if (const auto* cut = std::get_if<ClientFinal>(&parsed)) {
      EXPECT_NE(cut->proof.size(), 3u);
    }
  }
}

}  // namespace
}  // namespace sasld
