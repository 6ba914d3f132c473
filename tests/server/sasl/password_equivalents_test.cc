#include "server/sasl/password_equivalents.h"

#include <gtest/gtest.h>

#include "server/sasl/registry.h"
#include "tests/server/sasl/one_account.h"
#include "tests/server/sasl/openssl_calls.h"
#include "tests/server/sasl/sasl_client.h"

namespace sasld {
namespace {

std::string HexOf(const Secret& secret) { return openssl::Hex(secret.Reveal()); }

// Dovecot's {CRAM-MD5} has the outer state first, ours the inner.
TEST(PasswordEquivalents, CramMd5StatesAreDovecotsInAnotherOrder) {
  const std::string dovecot = "d06d4e1b26fccaa4b0b61801132340a354b21152711fb604ca3e035e7015116b";
  EXPECT_EQ(HexOf(CramMd5States(Secret("tanstaaftanstaaf"))),
            dovecot.substr(32) + dovecot.substr(0, 32));
}

// RFC 2195 section 2, and passwords around the size of a block against OpenSSL's HMAC.
TEST(PasswordEquivalents, CramMd5DigestIsHmacMd5) {
  const std::string challenge = "<1896.697170952@postoffice.reston.mci.net>";
  EXPECT_EQ(HexOf(CramMd5Digest(CramMd5States(Secret("tanstaaftanstaaf")), challenge)),
            "b913a602c7eda7a495b4e6e7334d3890");
  for (const size_t size : {1u, 16u, 63u, 64u, 65u, 128u, 1024u}) {
    const std::string password(size, '\xe9');
    EXPECT_EQ(HexOf(CramMd5Digest(CramMd5States(Secret(password)), challenge)),
              openssl::Hex(openssl::Hmac("MD5", password, challenge)))
        << size;
  }
}

// RFC 2831 section 4, and the rule of section 2.1.2.1 for ISO 8859-1.
TEST(PasswordEquivalents, DigestMd5Ha1IsThatOfTheRfc) {
  EXPECT_EQ(HexOf(DigestMd5Ha1("chris", "elwood.innosoft.com", Secret("secret"))),
            "eb5a750053e4d2c34aa84bbc9b0b6ee7");
  EXPECT_EQ(HexOf(DigestMd5Ha1("j\xc3\xb6rg", "r", Secret("\xc3\xbf"))),
            openssl::Hex(openssl::Digest("MD5", "j\xf6rg:r:\xff")));
  EXPECT_EQ(HexOf(DigestMd5Ha1("\xc5\x82", "r", Secret("\xc3\xbf"))),
            openssl::Hex(openssl::Digest("MD5", "\xc5\x82:r:\xff")));
}

// The last step, answered with `equivalent` whatever was asked.
Outcome Answered(const Mechanism& mechanism, const std::string& state, const std::string& response,
                 const Secret& equivalent) {
  Outcome outcome = mechanism.Continue(FactsOfAnExchange(), state, response);
  auto& ask = std::get<FetchPasswordEquivalent>(outcome);
  auto then = std::move(ask.then);
  return std::move(then)(equivalent.Clone());
}

// An equivalent of a wrong size is one that a client can guess the answer to.
TEST(PasswordEquivalents, OfAWrongSizeLetNobodyIn) {
  const auto cram = MakeCramMd5();
  const auto digest = MakeDigestMd5();
  for (const size_t size : {0u, 15u, 17u, 31u, 33u}) {
    const Secret wrong(std::string(size, 'k'));
    const std::string zeros(32, '0');
    EXPECT_TRUE(std::holds_alternative<Failure>(Answered(*cram, "<a@b>", "user " + zeros, wrong)));

    // A1 of RFC 2831 s.2.1.2.1, made of what is not 16 bytes.
    const Outcome first = digest->Begin(FactsOfAnExchange(), std::nullopt);
    const auto& challenge = std::get<Challenge>(first);
    const std::string nonce = FactsOfAnExchange().server_nonce;
    const auto hex_md5 = [](const std::string& text) {
      return openssl::Hex(openssl::Digest("MD5", text));
    };
    const std::string a1 = std::string(size, 'k') + ":" + nonce + ":c";
    ClientSettings settings;
    settings.cnonce = "c";
    settings.directives["digest-uri"] = "smtp/h";
    settings.directives["response"] =
        hex_md5(hex_md5(a1) + ":" + nonce + ":00000001:c:auth:" + hex_md5("AUTHENTICATE:smtp/h"));
    const std::string response = MakeClient("DIGEST-MD5", settings)->Answer(challenge.data).value();
    EXPECT_TRUE(
        std::holds_alternative<Failure>(Answered(*digest, challenge.state, response, wrong)))
        << size;
  }
}

}  // namespace
}  // namespace sasld
