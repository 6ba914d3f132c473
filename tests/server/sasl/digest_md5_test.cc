// What a DIGEST-MD5 server must refuse although the response is right: the client signs it all.
#include <gtest/gtest.h>

#include "server/sasl/digest_md5_messages.h"
#include "tests/server/sasl/one_account.h"
#include "tests/server/sasl/sasl_client.h"

namespace sasld {
namespace {

class DigestMd5 : public testing::Test {
 protected:
  // Success, or why not. `rewrite` changes the message on its way.
  template <typename Rewrite>
  std::optional<Reason> Play(const ClientSettings& settings, Rewrite rewrite) const {
    static const auto* account = new OneAccount;
    const auto mechanism = MakeDigestMd5();
    const auto client = MakeClient("DIGEST-MD5", settings);
    ServerSide server(*mechanism, *account, facts_);
    const Outcome first = server.Step(std::nullopt);
    const std::string challenge = std::get<Challenge>(first).data;
    const Outcome outcome = server.Step(rewrite(client->Answer(challenge).value()));
    if (const auto* failure = std::get_if<Failure>(&outcome)) return failure->reason;
    EXPECT_TRUE(client->Believes(std::get<Success>(outcome).data));
    return std::nullopt;
  }
  std::optional<Reason> Play(const ClientSettings& settings) const {
    return Play(settings, [](std::string message) { return message; });
  }
  std::optional<Reason> PlayWith(const std::string& name, const std::string& value) const {
    ClientSettings settings;
    settings.directives[name] = value;
    return Play(settings);
  }

  ConnectionFacts facts_ = FactsOfAnExchange();
};

TEST_F(DigestMd5, RefusesWhatWasNotOffered) {
  EXPECT_EQ(PlayWith("qop", "auth-int"), Reason::kMalformed);
  EXPECT_EQ(PlayWith("qop", "auth-conf"), Reason::kMalformed);
  EXPECT_EQ(PlayWith("qop", ""), std::nullopt);  // RFC 2831 s.2.1.2: it defaults to "auth"
  EXPECT_EQ(PlayWith("realm", "example.net"), Reason::kBadCredentials);
  EXPECT_EQ(PlayWith("realm", "EXAMPLE.ORG"), Reason::kBadCredentials);
  EXPECT_EQ(PlayWith("realm", ""), Reason::kBadCredentials);
  EXPECT_EQ(PlayWith("nonce", "of-another-exchange"), Reason::kNonceMismatch);
  EXPECT_EQ(PlayWith("charset", "iso-8859-1"), Reason::kMalformed);
}

// RFC 2831 s.2.2: we do no subsequent authentication.
TEST_F(DigestMd5, RefusesASecondUseOfTheNonce) {
  for (const char* nc : {"00000002", "00000000", "ffffffff", "1", "0000000001", "0000000g"}) {
    EXPECT_EQ(PlayWith("nc", nc), Reason::kMalformed) << nc;
  }
}

// RFC 2831 s.2.1.2: what MUST be there.
TEST_F(DigestMd5, RefusesAMessageWithoutItsDirectives) {
  for (const char* name : {"username", "nonce", "cnonce", "nc", "digest-uri"}) {
    EXPECT_EQ(PlayWith(name, ""), Reason::kMalformed) << name;
  }
  EXPECT_EQ(PlayWith("response", std::string(32, '0')), Reason::kBadCredentials);
  EXPECT_EQ(PlayWith("response", std::string(31, '0')), Reason::kMalformed);
  EXPECT_EQ(PlayWith("response", std::string(32, 'A')), Reason::kMalformed);
}

// RFC 2831 s.2.1.2: each at most once.
TEST_F(DigestMd5, RefusesDirectivesTwice) {
  for (const char* more : {",username=\"user\"", ",nonce=\"x\"", ",QOP=auth", ",x=1,x=2",
                           ",response=00000000000000000000000000000000"}) {
    EXPECT_EQ(Play({}, [more](const std::string& message) { return message + more; }),
              Reason::kMalformed)
        << more;
  }
}

TEST_F(DigestMd5, TakesTheUriOfItsServiceOnly) {
  const auto with_service = [this](const char* uri) { return PlayWith("digest-uri", uri); };
  EXPECT_EQ(with_service("imap/mail.example.org"), Reason::kBadCredentials);
  EXPECT_EQ(with_service("smtp"), Reason::kBadCredentials);
  EXPECT_EQ(with_service("smtp/"), Reason::kBadCredentials);
  EXPECT_EQ(with_service("smtp/any.example/example.org"), std::nullopt);
  facts_.service = "submission";
  EXPECT_EQ(with_service("smtp/mail.example.org"), std::nullopt);
  EXPECT_EQ(with_service("imap/mail.example.org"), Reason::kBadCredentials);
  facts_.service = "pop3";
  EXPECT_EQ(with_service("pop/mail.example.org"), std::nullopt);
}

TEST_F(DigestMd5, TakesNamesAndSpacingAsRfc2616HasThem) {
  const auto respaced = [](const std::string& message) {
    std::string spaced = ", ,\t";
    for (const char c : message) spaced += c == ',' ? std::string(" , ,") : std::string(1, c);
    return spaced + " ,x-unknown = \"a,\\\"b\" ,";
  };
  EXPECT_EQ(Play({}, respaced), std::nullopt);
  EXPECT_EQ(Play({}, [](std::string message) { return message.replace(0, 6, "CNonCE"); }),
            std::nullopt);
  EXPECT_EQ(PlayWith("charset", "UTF-8"), std::nullopt);  // RFC 2616 s.2.1: literals have no case
  EXPECT_EQ(PlayWith("charset", ""), std::nullopt);
  EXPECT_EQ(PlayWith("cnonce", "a\"b\\c"), std::nullopt);
}

// RFC 2831 s.2.1.2: less than 4096 bytes.
TEST_F(DigestMd5, RefusesLongMessages) {
  const auto padded = [](size_t bytes) {
    return [bytes](const std::string& message) {
      return message + std::string(bytes - message.size(), ' ');
    };
  };
  EXPECT_EQ(Play({}, padded(4095)), std::nullopt);
  EXPECT_EQ(Play({}, padded(4096)), Reason::kMalformed);
}

TEST_F(DigestMd5, NamesWithoutCharsetAreLatin1) {
  const auto parsed = ParseDigestResponse(
      "username=\"j\xf6rg\",nonce=n,cnonce=c,nc=00000001,digest-uri=\"smtp/h\","
      "response=0123456789abcdef0123456789abcdef");
  ASSERT_TRUE(std::holds_alternative<DigestResponse>(parsed));
  EXPECT_FALSE(std::get<DigestResponse>(parsed).is_utf8);
  ClientSettings latin1;
  latin1.authcid = "us\xe9r";
  latin1.directives["charset"] = "";
  EXPECT_EQ(Play(latin1), Reason::kBadCredentials);  // a name, though nobody's
  latin1.directives["charset"] = "utf-8";
  EXPECT_EQ(Play(latin1), Reason::kMalformed);
}

TEST_F(DigestMd5, HasNoInitialResponse) {
  const auto mechanism = MakeDigestMd5();
  const Outcome outcome = mechanism->Begin(facts_, "username=\"user\"");
  EXPECT_EQ(std::get<Failure>(outcome).reason, Reason::kMalformed);
}

}  // namespace
}  // namespace sasld
