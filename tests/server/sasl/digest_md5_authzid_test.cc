#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "server/sasl/password_equivalents.h"
#include "server/sasl/registry.h"

namespace sasld {
namespace {

constexpr std::string_view kNonce = "3qIidjqsxNzsRQ2dkTlUrQI9";

// What becomes of a client's message with an empty authzid and this response.
Outcome Answered(const std::string& response) {
  ConnectionFacts facts;
  facts.service = "smtp";
  facts.realm = "example.org";
  facts.server_nonce = kNonce;
  const auto mechanism = MakeDigestMd5();
  Outcome first = mechanism->Begin(facts, std::nullopt);
  Outcome asked = mechanism->Continue(
      facts, std::get<Challenge>(first).state,
      R"(username="ann@example.org", realm="example.org", nonce="3qIidjqsxNzsRQ2dkTlUrQI9", )"
      R"(cnonce="8PN5l27MjFpWp4fmQDWnjg==", nc=00000001, qop=auth, digest-uri="smtp/127.0.0.1", )"
      "response=" +
          response + R"(, charset=utf-8, authzid="")");
  return std::move(std::get<FetchPasswordEquivalent>(asked).then)(
      DigestMd5Ha1("ann@example.org", "example.org", Secret("Pw-3ac6a959a1c81a2f4c5081e9")));
}

// As gsasl 2.2.0 said it.
TEST(DigestMd5Authzid, TakesAResponseThatLeavesOutAnEmptyAuthzid) {
  const Outcome outcome = Answered("3815b9cd921a6c2a487ba20748650b94");
  const auto* success = std::get_if<Success>(&outcome);
  ASSERT_NE(success, nullptr);
  EXPECT_EQ(success->identity.authcid.str(), "ann@example.org");
  EXPECT_FALSE(success->identity.authzid);
  EXPECT_EQ(success->data, "rspauth=a03945a382f765b59769f9de03663087");
}

// As Perl's Authen::SASL does. RFC 2831 section 2.1.2.1: A1 ends in ":" and authzid if there is
// one.
TEST(DigestMd5Authzid, TakesAResponseOverAnEmptyAuthzid) {
  const Outcome outcome = Answered("21122c007ecdf1d18222e3001a63a682");
  const auto* success = std::get_if<Success>(&outcome);
  ASSERT_NE(success, nullptr);
  EXPECT_FALSE(success->identity.authzid);
  EXPECT_EQ(success->data, "rspauth=83584fc997fe74a91e8491f4bd93f03f");
}

TEST(DigestMd5Authzid, RefusesAnyOtherResponse) {
  EXPECT_TRUE(std::holds_alternative<Failure>(Answered("3815b9cd921a6c2a487ba20748650b95")));
}

}  // namespace
}  // namespace sasld
