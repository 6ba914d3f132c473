#include "client/saslctl/scram_client.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace sasld::saslctl {
namespace {

// RFC 7677 section 3.
constexpr char kNonce[] = "rOprNGfwEbeRWgbNEkqO";
constexpr char kServerFirst[] =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr char kClientFinal[] =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr char kServerFinal[] = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

ScramClient MakeClient(std::string_view name, std::string_view password,
                       std::string_view nonce = kNonce) {
  return ScramClient(EVP_sha256(), name, Password(password), nonce);
}
ScramClient ExampleClient() { return MakeClient("user", "pencil"); }

TEST(ScramClient, PlaysTheExampleOfRfc7677) {
  ScramClient client = ExampleClient();
  EXPECT_EQ(client.InitialResponse(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(*client.Respond(kServerFirst), kClientFinal);
  EXPECT_TRUE(client.Finish(kServerFinal).ok());
}

// The hash of the mechanism's name, in all of it.
TEST(ScramClient, PlaysTheExampleOfRfc5802) {
  ScramClient client(EVP_sha1(), "user", Password("pencil"), "fyko+d2lbbFgONRv9qkxdawL");
  EXPECT_EQ(client.InitialResponse(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
  EXPECT_EQ(*client.Respond("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,"
                            "i=4096"),
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
  EXPECT_TRUE(client.Finish("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=").ok());
}

TEST(ScramClient, RefusesAWrongServerSignature) {
  ScramClient client = ExampleClient();
  ASSERT_TRUE(client.Respond(kServerFirst).ok());
  EXPECT_FALSE(client.Finish("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").ok());
  EXPECT_FALSE(client.Finish("v=").ok());
  EXPECT_FALSE(client.Finish(std::nullopt).ok());
}

TEST(ScramClient, RefusesSuccessBeforeItProvedAnything) {
  EXPECT_FALSE(ExampleClient().Finish("v=").ok());
  EXPECT_FALSE(ExampleClient().Finish(std::nullopt).ok());
}

TEST(ScramClient, RefusesANonceThatIsNotItsOwn) {
  EXPECT_FALSE(ExampleClient().Respond("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096").ok());
  EXPECT_FALSE(
      ExampleClient().Respond("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096").ok());
}

TEST(ScramClient, RefusesMalformedServerFirst) {
  const std::string r = "r=rOprNGfwEbeRWgbNEkqOx";
  for (const std::string& message :
       {std::string(), r, r + ",s=W22ZaJ0SNY7soEsUEjb6gQ==", r + ",s=W22Z,i=0", r + ",s=W22Z,i=-1",
        r + ",s=W22Z,i=4096x", r + ",s=W22Z,i=99999999", r + ",s=W2,i=4096", r + ",s=,i=4096",
        "m=x," + r + ",s=W22Z,i=4096", r + ",i=4096,s=W22Z"}) {
    EXPECT_FALSE(ExampleClient().Respond(message).ok()) << message;
  }
  EXPECT_TRUE(ExampleClient().Respond(r + ",s=W22Z,i=4096,x=extension").ok());
}

TEST(ScramClient, EscapesAndPreparesTheName) {
  EXPECT_EQ(MakeClient("a=b,c", "p", "n").InitialResponse(), "n,,n=a=3Db=2Cc,r=n");
  // RFC 4013 section 3: SOFT HYPHEN is mapped to nothing, ROMAN NUMERAL NINE to "IX".
  EXPECT_EQ(MakeClient("I\u00ADX", "p", "n").InitialResponse(), "n,,n=IX,r=n");
  EXPECT_EQ(MakeClient("\u2168", "p", "n").InitialResponse(), "n,,n=IX,r=n");
}

TEST(ScramClient, PreparesThePassword) {
  ScramClient typed = MakeClient("user", "\u2168");
  ScramClient plain = MakeClient("user", "IX");
  EXPECT_EQ(*typed.Respond(kServerFirst), *plain.Respond(kServerFirst));
}

TEST(MakeNonce, IsFreshAndPrintableWithoutComma) {
  const absl::StatusOr<std::string> one = MakeNonce();
  const absl::StatusOr<std::string> two = MakeNonce();
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(*one, *two);
  EXPECT_EQ(one->size(), 24u);
  EXPECT_EQ(one->find(','), std::string::npos);
}

}  // namespace
}  // namespace sasld::saslctl
