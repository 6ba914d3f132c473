#include "server/auth/imported_password.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/auth/verifier_match.h"
#include "server/sasl/password_equivalents.h"
#include "tests/server/sasl/openssl_calls.h"

namespace sasld {
namespace {

using testing::HasSubstr;

template <typename Kind>
Kind Read(std::string_view notation) {
  absl::StatusOr<ImportedPassword> read = ReadImportedPassword(notation);
  EXPECT_TRUE(read.ok()) << notation << ": " << read.status();
  if (!read.ok() || !std::holds_alternative<Kind>(*read)) {
    ADD_FAILURE() << notation << " is something else";
    return Kind{};
  }
  return std::get<Kind>(*std::move(read));
}

std::string RefusalOf(std::string_view notation) {
  const absl::Status status = ReadImportedPassword(notation).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << notation << ": " << status;
  return std::string(status.message());
}

TEST(ImportedPassword, InTheClearIsPrepared) {
  for (const char* notation :
       {"{PLAIN}pencil", "{CLEAR}pencil", "{cleartext}pencil", "{PLAIN.HEX}70656e63696c",
        "{Plain.B64}cGVuY2ls", "{PLAIN.BASE64}cGVuY2ls",
        "{PLAIN}pen\xc2\xad"
        "cil"}) {
    EXPECT_TRUE(
        EqualsConstantTime(Read<ImportedPlaintext>(notation).prepared_password.Reveal(), "pencil"))
        << notation;
  }
  const std::string braces = "{CRYPT}";
  EXPECT_EQ(Read<ImportedPlaintext>("{PLAIN}" + braces).prepared_password.Reveal(), braces);
  EXPECT_THAT(RefusalOf("{PLAIN}"), HasSubstr("is empty"));
  EXPECT_THAT(RefusalOf("{PLAIN.HEX}00"), HasSubstr("NUL"));
  EXPECT_THAT(RefusalOf("{PLAIN}" + std::string(1025, 'x')), HasSubstr("1024"));
}

// doveadm pw, of "pencil" and of what is not all ISO 8859-1. That the states are in our order shows
// in a login: what a client sends is HMAC-MD5 of the challenge.
TEST(ImportedPassword, CramMd5StatesLetTheirClientIn) {
  const std::string challenge = "<1896.697170952@postoffice.reston.mci.net>";
  struct Example {
    const char* notation;
    const char* password;
  };
  for (const Example& example :
       {Example{"{CRAM-MD5}7f47ace0e2af8f6cdeb72c03243a8c87834e19104164d6a42de72d243adb4080",
                "pencil"},
        Example{"{hmac-md5}7f47ace0e2af8f6cdeb72c03243a8c87834e19104164d6a42de72d243adb4080",
                "pencil"},
        Example{"{CRAM-MD5.B64}f0es4OKvj2zetywDJDqMh4NOGRBBZNakLectJDrbQIA=", "pencil"},
        Example{"{CRAM-MD5}930b3058f236c418a4c7bea53a9a30dfb92369e5f052b4b0c78c0a4c91461a16",
                "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c\xe2\x82\xac"}}) {
    const auto cram_md5 = Read<ImportedCramMd5>(example.notation);
    EXPECT_EQ(openssl::Hex(CramMd5Digest(cram_md5.states, challenge).Reveal()),
              openssl::Hex(openssl::Hmac("MD5", example.password, challenge)));
    EXPECT_TRUE(MatchesCramMd5(cram_md5.states, Secret(example.password)));
    EXPECT_FALSE(MatchesCramMd5(cram_md5.states, Secret("Pencil")));
  }
  EXPECT_FALSE(MatchesCramMd5(Secret(), Secret("pencil")));
}

// doveadm pw -u user@example.org hashes "user", "example.org" and the password.
TEST(ImportedPassword, DigestMd5IsOfNameAndRealm) {
  struct Example {
    const char* notation;
    const char* password;
  };
  for (const Example& example :
       {Example{"{DIGEST-MD5}59d05624acb3d9cf8d4a2e7d8c152938", "pencil"},
        Example{"{DIGEST-MD5}579b8472df9bb2d0cf850795d5a7a28b",
                "gr\xc3\xbc\xc3\x9f"
                "e \xc2\xa3"
                "5 \xc3\xb8"},
        Example{"{DIGEST-MD5}cd9b8fb075ea6b4733a8fabc8002866d",
                "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c\xe2\x82\xac"}}) {
    const Secret ha1 = Read<ImportedDigestMd5>(example.notation).ha1;
    EXPECT_TRUE(MatchesDigestMd5(ha1, "user", "example.org", Secret(example.password)));
    EXPECT_FALSE(MatchesDigestMd5(ha1, "user", "example.net", Secret(example.password)));
    EXPECT_FALSE(MatchesDigestMd5(ha1, "User", "example.org", Secret(example.password)));
    EXPECT_FALSE(MatchesDigestMd5(ha1, "user", "example.org", Secret("Pencil")));
  }
  const Secret rfc = DigestMd5Ha1("j\xc3\xb6rg", "r", Secret("\xc3\xbf"));
  EXPECT_TRUE(MatchesDigestMd5(rfc, "j\xc3\xb6rg", "r", Secret("\xc3\xbf")));
  EXPECT_FALSE(MatchesDigestMd5(Secret(), "user", "example.org", Secret("pencil")));
}

// doveadm pw; then the second of them as PostgreSQL writes it, and RFC 7677 section 3's example.
TEST(ImportedPassword, ScramVerifiersAreThoseOfTheirPassword) {
  struct Example {
    const char* notation;
    Hash hash;
    const char* password;
  };
  for (const Example& example :
       {Example{"{SCRAM-SHA-1}4096,omhCya6HHoUnYsv2Orm1Aw==,tpjJ/ObpRwU3QnUHTvXKNb9OC+4=,hLB2WkYP7/"
                "WfHIhdGOSd/u8XfwQ=",
                Hash::kSha1, "pencil"},
        Example{"{SCRAM-SHA-256}4096,rL5+JPqM6m27XbJWOz6gEA==,aSujf+zWdr7HhuCa+OIEdrw49nNE0iiOtFrol"
                "Ym/FXI=,q4cqTk6bNNykqRcSsvp3GSna9TgK9D7cPIJhX7meYOw=",
                Hash::kSha256, "pencil"},
        Example{"scram-sha-256$4096:rL5+JPqM6m27XbJWOz6gEA==$aSujf+zWdr7HhuCa+OIEdrw49nNE0iiOtFrolY"
                "m/FXI=:q4cqTk6bNNykqRcSsvp3GSna9TgK9D7cPIJhX7meYOw=",
                Hash::kSha256, "pencil"},
        Example{"{SCRAM-SHA-256}4096,NxvxST6lOZhAPP675dL/Lw==,mHt1cxx5Hse1GpZ50HtNH0W7rB9H7LfwO3lgH"
                "8IeURY=,hreptLFf9Ue4OxX9ouj2tXlwZRDMV+1pmIWR7q4GZ4E=",
                Hash::kSha256,
                "gr\xc3\xbc\xc3\x9f"
                "e \xc2\xa3"
                "5 \xc3\xb8"},
        Example{"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtb"
                "sT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
                Hash::kSha256, "pencil"}}) {
    const auto scram = Read<ScramVerifiers>(example.notation);
    ASSERT_EQ(scram.keys.size(), 1u);
    EXPECT_EQ(scram.iterations, 4096u);
    const ScramKeyPair derived =
        DeriveScramKeyPair(example.hash, Secret(example.password), scram.salt, scram.iterations);
    EXPECT_EQ(scram.keys.at(example.hash).stored_key.Reveal(), derived.stored_key.Reveal());
    EXPECT_EQ(scram.keys.at(example.hash).server_key.Reveal(), derived.server_key.Reveal());
    EXPECT_TRUE(MatchesScram(scram, Secret(example.password)));
    EXPECT_FALSE(MatchesScram(scram, Secret("Pencil")));
  }
  EXPECT_FALSE(MatchesScram(ScramVerifiers{}, Secret("pencil")));
}

TEST(ImportedPassword, ScramNeedsACountThatClientsTake) {
  const std::string rest =
      ",W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
      "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
  EXPECT_EQ(Read<ScramVerifiers>("{SCRAM-SHA-256}65536" + rest).iterations, 65536u);
  for (const char* count : {"0", "1", "4095", "65537", "4294967295", "99999999999999"}) {
    EXPECT_THAT(RefusalOf("{SCRAM-SHA-256}" + (count + rest)), HasSubstr("between 4096 and 65536"));
  }
  for (const char* count : {"", "-1", "04096", "4096 ", "0x1000"}) {
    EXPECT_THAT(RefusalOf("{SCRAM-SHA-256}" + (count + rest)), HasSubstr("malformed"));
  }
  EXPECT_THAT(RefusalOf("{SCRAM-SHA-1}4096" + rest), HasSubstr("malformed"));
  EXPECT_THAT(RefusalOf("{SCRAM-SHA-256}4096,AAAA,BBBB"), HasSubstr("malformed"));
  EXPECT_THAT(RefusalOf("SCRAM-MD5$4096:AAAA$BBBB:CCCC"), HasSubstr("hash function"));
  EXPECT_THAT(RefusalOf("SCRAM-SHA-256$"), HasSubstr("malformed"));
}

TEST(ImportedPassword, BareTextsAreTakenByTheirPrefixOnly) {
  for (const char* text : {"pencil", "yGr45gD/oh022", "a8f6830bce790a8a67fc2e84e12093ba", "_J9..",
                           "SCRAM-SHA-256", " {PLAIN}pencil"}) {
    EXPECT_THAT(RefusalOf(text), HasSubstr("{PLAIN}")) << text;
    EXPECT_THAT(RefusalOf(text), HasSubstr("{CRYPT}")) << text;
  }
  EXPECT_THAT(RefusalOf(""), HasSubstr("no password"));
}

// No refusal repeats what it refuses: somebody may have typed a password there.
TEST(ImportedPassword, RefusalsSayWhatIsWrong) {
  struct Example {
    const char* notation;
    const char* says;
  };
  for (const Example& example : std::vector<Example>{
           {"{OTP}hunter2", "none that sasld takes"},
           {"{hunter2", "'}'"},
           {"{hunter2}", "none that sasld takes"},
           {"{}hunter2", "none that sasld takes"},
           {"{.HEX}00", "none that sasld takes"},
           {"{hunter2hunter2hunter2hunter2hunter2}", "none that sasld takes"},
           {"{SHA.HUNTER2}00", ".BASE64"},
           {"{SHA.}00", ".BASE64"},
           {"{SHA.HEX.B64}00", ".BASE64"},
           {"{SHA}hunter2!", "{SHA} is not base64"},
           {"{SHA.HEX}hunter2", "{SHA} is not hexadecimal"},
           {"{SHA}AAAA", "has 3 bytes instead of 20"},
           {"{SSHA}0vxRJJChUDZGC1SJQBQ51tpUB/o=", "has no salt"},
           {"{CRYPT}", "empty"},
           {"{CRYPT}!$6$hunter2", "locked"},
           {"{CRYPT}*", "locked"},
           {"{CRYPT}hunter2", "DES hash"},
           {"{CRYPT}$2$05$hunter2", "no method"},
           {"$8$hunter2", "no method"},
           {"$6$hunter2", "SHA-512-crypt hash is malformed"},
           {"{SHA512-CRYPT}$5$hunter2", "does not begin with $6$"},
           {"{BLF-CRYPT}hunter2", "does not begin with $2"},
           {"{DES-CRYPT}hunter2", "instead of 13"},
           {"{MD5}hunter2", "PLAIN-MD5"},
           {"{ARGON2ID}$argon2i$hunter2", "does not begin with $argon2id$"},
           {"$argon2d$v=19$hunter2", "only $argon2id$"},
           {"$argon2id$v=16$hunter2", "version 19"},
           {"$argon2id$m=65536,t=3,p=1$hunter2", "version 19"},
           {"{PBKDF2}hunter2", "$1$salt$rounds$hash"},
           {"{CRAM-MD5}hunter2", "{CRAM-MD5} is not base64"},
           {"{DIGEST-MD5}AAAA", "instead of 16"},
       }) {
    const std::string refusal = RefusalOf(example.notation);
    EXPECT_THAT(refusal, HasSubstr(example.says)) << example.notation;
    EXPECT_THAT(refusal, testing::Not(HasSubstr("unter2"))) << example.notation;
  }
}

TEST(ImportedPassword, LongTextsAreRefusedAtOnce) {
  for (const char* begin :
       {"", "{PLAIN}", "{SSHA512}", "{", "$6$", "$argon2id$", "SCRAM-SHA-256$"}) {
    EXPECT_THAT(RefusalOf(begin + std::string(1 << 20, 'A')), HasSubstr("longer than"));
    EXPECT_FALSE(ReadImportedPassword(begin + std::string(2000, 'A')).ok());
  }
}

}  // namespace
}  // namespace sasld
