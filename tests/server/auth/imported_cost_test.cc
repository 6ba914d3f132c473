// What a foreign hash may cost: at the limit it is read, above it is refused, and nothing is
// hashed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/auth/imported_password.h"

namespace sasld {
namespace {

using testing::HasSubstr;

const std::string kDigits22(22, 'a');
const std::string kDigits43(43, 'a');
const std::string kArgon2Hash(43, 'A');
const std::string kDigits86(86, 'a');

struct Example {
  std::string begin;
  std::string at_the_limit;
  std::string above;
  std::string end;
  const char* says;
};

const Example kExamples[] = {
    {"$2y$", "14", "15", "$" + std::string(53, 'a'), "the cost is limited to 14"},
    {"$2y$", "14", "31", "$" + std::string(53, 'a'), "the cost is limited to 14"},
    {"$5$rounds=", "1000000", "1000001", "$salt$" + kDigits43, "rounds is limited to 1000000"},
    {"$6$rounds=", "1000000", "999999999", "$salt$" + kDigits86, "rounds is limited to 1000000"},
    {"$6$rounds=", "1000000", "99999999999999999999", "$salt$" + kDigits86, "rounds is limited to"},
    {"$sha1$", "1000000", "4294967295", "$salt$" + std::string(28, 'a'), "limited to 1000000"},
    {"$md5,rounds=", "500000", "500001", "$salt$$" + kDigits22, "limited to 500000"},
    // Four digits of crypt's alphabet, least significant first.
    {"{CRYPT}_", "z..1", "zzzz", "salt" + std::string(11, 'a'), "limited to 1000000"},
    // 2^16 times 32 blocks are 256 MiB.
    {"$y$j", "DT", "ET", "$salt$" + kDigits43, "limited to 256"},
    {"$y$j", "DT", "jj", "$salt$" + kDigits43, "limited to 256"},
    {"$gy$j", "DT", "DU", "$salt$" + kDigits43, "limited to 256"},
    {"$7$", "EU..../....", "FU..../....", "salt$" + kDigits43, "limited to 256"},
    {"$7$", "EU..../....", "EU....0....", "salt$" + kDigits43, "limited to 256"},
    {"$7$", "EU..../....", "zzzzzzzzzzz", "salt$" + kDigits43, "limited to 256"},
    {"$7$", "EU..../....", "1zzzzz/....", "salt$" + kDigits43, "limited to 256"},
    {"$7$", "EU..../....", "1/....zzzzz", "salt$" + kDigits43, "limited to 256"},
    {"{PBKDF2}$1$salt$", "1000000", "1000001", "$" + std::string(40, 'a'), "limited to 1000000"},
    {"$argon2id$v=19$m=", "262144,t=4,p=16", "262145,t=1,p=1",
     "$MDEyMzQ1Njc4OWFiY2RlZg$" + kArgon2Hash, "m (KiB) is limited to 262144"},
    {"$argon2i$v=19$m=", "8,t=131072,p=1", "8,t=131073,p=1",
     "$MDEyMzQ1Njc4OWFiY2RlZg$" + kArgon2Hash, "m times t is limited to 1048576"},
    {"$argon2id$v=19$m=", "4096,t=256,p=1", "4096,t=3,p=17",
     "$MDEyMzQ1Njc4OWFiY2RlZg$" + kArgon2Hash, "p is limited to 16"},
};

TEST(ImportedCost, IsRefusedAboveItsLimit) {
  for (const Example& example : kExamples) {
    const std::string most = example.begin + example.at_the_limit + example.end;
    const absl::Status within = ReadImportedPassword(most).status();
    EXPECT_TRUE(within.ok()) << most << ": " << within;
    const std::string more = example.begin + example.above + example.end;
    const absl::Status refusal = ReadImportedPassword(more).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refusal)) << more;
    EXPECT_THAT(std::string(refusal.message()), HasSubstr("costs too much")) << more;
    EXPECT_THAT(std::string(refusal.message()), HasSubstr(example.says)) << more;
    const std::string scheme = more.front() != '$'           ? ""
                               : more.starts_with("$argon2") ? "{ARGON2}"
                                                             : "{CRYPT}";
    EXPECT_TRUE(absl::IsDataLoss(VerifyImportedHash(scheme + more, Secret("pencil")).status()));
  }
}

TEST(ImportedCost, OfNonsenseIsMalformed) {
  for (const std::string& notation : std::vector<std::string>{
           "$2y$3$" + std::string(53, 'a'),
           "$2y$03$" + std::string(53, 'a'),
           "$2y$00$" + std::string(53, 'a'),
           "$2y$+5$" + std::string(53, 'a'),
           "$5$rounds=999$salt$" + kDigits43,
           "$5$rounds=$salt$" + kDigits43,
           "$5$rounds=05000$salt$" + kDigits43,
           "$5$rounds=-5000$salt$" + kDigits43,
           "$sha1$0$salt$" + std::string(28, 'a'),
           "$sha1$" + std::string(28, 'a'),
           "$md5,rounds=0$salt$$" + kDigits22,
           "$md5",
           "$md5$",
           "$md5$$",
           "$md5x$salt$" + kDigits22,
           std::string("{CRYPT}_....saltaaaaaaaaaaa"),
           std::string("$7$CU..../..."),
           "$7$.U..../....s$" + kDigits43,
           "$7$C...../....s$" + kDigits43,
           "$7$CU.........s$" + kDigits43,
           "$y$j9$salt$" + kDigits43,
           "$y$.9T$salt$" + kDigits43,
           "$y$j9T/.$salt$" + kDigits43,
           "$y$jzT$salt$" + kDigits43,
           "$y$j9T$salts$" + kDigits43,
           "$y$j9T$s_lt$" + kDigits43,
           "$6$bad salt$" + kDigits86,
           "$6$seventeen_letters$" + kDigits86,
           "$1$ninechars$" + kDigits22,
           "{PBKDF2}$1$salt$0$" + std::string(40, 'a'),
           "{PBKDF2}$1$sa lt$10$" + std::string(40, 'a'),
           "$argon2id$v=19$m=7,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$" + kArgon2Hash,
           "$argon2id$v=19$m=64,t=0,p=1$MDEyMzQ1Njc4OWFiY2RlZg$" + kArgon2Hash,
           "$argon2id$v=19$m=64,t=1,p=1$MDEy$" + kArgon2Hash,
           "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg==$" + kArgon2Hash,
           "$argon2id$v=19$m=64,t=1,p=1,data=AAAA$MDEyMzQ1Njc4OWFiY2RlZg$" + kArgon2Hash,
           "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAA"}) {
    const absl::Status refusal = ReadImportedPassword(notation).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refusal)) << notation << ": " << refusal;
    EXPECT_THAT(std::string(refusal.message()), testing::Not(HasSubstr("costs"))) << notation;
  }
}

}  // namespace
}  // namespace sasld
