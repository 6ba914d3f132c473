// Hashes that the tools themselves made, all of the password "pencil" unless it says otherwise.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/auth/imported_password.h"

namespace sasld {
namespace {

// The stored text; empty, with a failure, if `notation` is no hash.
std::string Stored(std::string_view notation) {
  absl::StatusOr<ImportedPassword> read = ReadImportedPassword(notation);
  EXPECT_TRUE(read.ok()) << notation << ": " << read.status();
  if (!read.ok() || !std::holds_alternative<ImportedHash>(*read)) {
    ADD_FAILURE() << notation << " is no hash";
    return "";
  }
  return std::get<ImportedHash>(*read).text;
}

bool Matches(std::string_view notation, std::string_view password) {
  const absl::StatusOr<bool> matches = VerifyImportedHash(Stored(notation), Secret(password));
  EXPECT_TRUE(matches.ok()) << notation << ": " << matches.status();
  return matches.ok() && *matches;
}

// Quick enough to try each byte of them.
const std::vector<std::string> kQuick = {
    // mkpasswd 5.5.17, Debian 12; yescrypt, gost-yescrypt and scrypt at their least cost.
    "$y$j75$t/88uDSvHSaAIYLb6sZom.$olxxfuAeIDUXScOqGfZSMhlY/u0z4UTLe1BKHGFESd4",
    "$gy$j75$JO4yQHE3H9L3PcG5S6ddq/$A8fNRHCpGzK7rWYxn4GrWhXEc6Uf.Vz8ZnbMfULRdC3",
    "$2b$05$sCMoVYAinC2gl.yunGlzl./dSi7mqg4V/.dnqvciCNoNuwkmXTvNu",
    "$2a$05$RXVJZvI4aWzqIg1KIHHNY.cY6MthMgMTrq/yRUjxJjgPdczvF8PXK",
    "$5$b3C3WFX73eNuI/.z$qgDbStvWAY.GzLTQnAUV4kgUHucFBs3mRh/4qeSaQM7",
    "$5$rounds=1000$LwIo0BmVYCrnvLd1$OFRva4KDs0PcwaZshmfHM5FF5MEBuulHfrMdfItkHn3",
    "$6$Rb8V/lT7y3kfwqaq$g.1NKkGDNKz4o5f6vAOY5Ft7pDBPOstxd4miPOzaRhTIPq1JjVsNZY867X4zZegjkchZ3ETCs"
    "YSa5aKvZEu601",
    "$1$z.fYBD3T$Z02Eeu52rT53KhEJKhbdj/",
    "{CRYPT}_J9..fTN09OGu2OQQFEo",
    "{CRYPT}yGr45gD/oh022",
    "$3$$0f0800266a19a0ddc7ff30bba6c76e9b",
    // libcrypt 4.4.33, called from Python.
    "$2x$05$abcdefghijklmnopqrstuu680Yiaj5hFUaJTH/rTAcbA2PQEGfiZu",
    "$sha1$1000$abcdefgh$LcSVgeq10i3Bs9TSZIMMwKIq3mTG",
    "$md5$abcdefgh$$FlOUtUWFyU8meN8m/F80K.",
    "$md5$abcdefgh$1z3ndOyK9a03cjJikwabJ1",
    "$md5,rounds=10$abcdefgh$RccQCZ3PYXeffzlqWfjRE.",
    "$5$rounds=5000$abc$WcX7k/nYLwnX8wE.rfQi0OVQWETpSWHCNN0aOffAuw9",
    "$6$$pZhd3ATXakiP9vhmxkU6lT9rhctxTIQ1lz1mZ/FkpYbLmaMf2gZH8yarXY5Ef.tuoVmE8qATHECk0JVCWcsqw1",
    // htpasswd of Apache 2.4 (-m, -B, -s, -d, -2) and openssl passwd.
    "$apr1$jqRfeaFi$VAi5x88sOAtQ9EUc.RXk1.",
    "$2y$05$coZjc0Y3SIi2B9yCVe3A0uGRXsQ6zcVFIcAFdopUqdVbRqwIi/ryS",
    "{SHA}0vxRJJChUDZGC1SJQBQ51tpUB/o=",
    "{CRYPT}xY.hx2IOmT8aE",
    "$5$46V7ew69ie03h01a$Uxixip.bBbcZN1WYq6RonDKCCNe9MCr6fwgSKqkHz99",
    "$apr1$r9ohIuqJ$xDtBX2tCJ6at1DTteDWQX0",
    "$1$$I9U3L93k1pmqVqSR.zXfQ0",
    // doveadm pw of Dovecot 2.3.19.
    "{CRYPT}$2y$05$3TgaIfT95y4QKD8RRY0P2euSSMmyif24goXixy1BaZ5.CB6xkTsnm",
    "{DES-CRYPT}ybahDzXcpONUU",
    "{MD5-CRYPT}$1$3F60o2cz$Asn0vVFUZbSzNixVswHuq.",
    "{SHA256-CRYPT}$5$IyudjL3JvkDMq26u$me1QNsbzbuOJPQWyXmwUbjrFnFBE1R8O5mSpnVvv0B8",
    "{SHA512-CRYPT}$6$DhULTWK68IbBkw1Q$kM0mMunTnoN9lqRbjpEGoZ/RToL5pojDajTe6jN/zxGX0jb.UyLLqYBpY5vD"
    "/.emTfCPd3XqXUN4QVVJlG/NU/",
    "{BLF-CRYPT}$2y$05$pPMgj2esKlj6OEc84SawI.yl8QWOdSjXc1HHY6B1DGDUvZN8qp1pS",
    "{MD5}$1$w/YTQJmk$c3D5aHWJRa7K.b60.vi5i0",
    "{PLAIN-MD4}88d50fcdf6d772aa14faa6241e363f2c",
    "{PLAIN-MD5}a8f6830bce790a8a67fc2e84e12093ba",
    "{LDAP-MD5}qPaDC855Copn/C6E4SCTug==",
    "{SMD5}/Q1WMakPNeO3WgL+4YAK5NKlBKs=",
    "{SHA1}0vxRJJChUDZGC1SJQBQ51tpUB/o=",
    "{SSHA}U47yIGU5wM7g8CS+MrVd9QRQ5wMF9HJV",
    "{SHA256}E4CWaPtDY4Zwb2fcsFLtWEoEuhaowCoX1m00ww/O2iE=",
    "{SSHA256}VNoaQLzRnXeAXt1KNtyhycpVVkFhsJdfzCKb6Nc4g8DmGl+/",
    "{SHA512}Gd8Bqrgo+NUINrp1cJcTrtInM1344YZDkYXAbJF6Kn03cat24wfPo7a4nvGmaC1mgd3xGISHDl3hPnk/uVXu6w"
    "==",
    "{SSHA512}mKrRfk+yV9n7nyzu4i9YcEuLic+cvbnMXK5qhmCCpXnWl/HSDg7d6dT4o6F+KFqufGgcEOsUv7sN49CmmhIBn"
    "j9XJ0E=",
    "{PBKDF2}$1$6eAXKbqQrbm/kvzs$5000$88a10e5dc7160394a7e9927dfe3ce1b5d6ed8ccb",
    "{SHA256.HEX}13809668fb436386706f67dcb052ed584a04ba16a8c02a17d66d34c30fceda21",
    "{SSHA256.B64}f094KKjq4aAOSMYHc+sL8+DPkKgM5KtZJB1+iD7R3iJP7KGA",
    "{SMD5.HEX}23668c38147eb114aa71e62068d8c07fd3937b25",
    "{SHA1.HEX}d2fc512490a15036460b5489401439d6da5407fa",
    "{LDAP-MD5.HEX}a8f6830bce790a8a67fc2e84e12093ba",
    "{PLAIN-MD5.B64}qPaDC855Copn/C6E4SCTug==",
    "{SHA512-CRYPT.B64}JDYkR2dsTUFJeHIwV0NSMFg1byRyUkNkdk1zNFpzUFhWb0xuSDdMcG5SU2pEOWhYOFhiMGsxelhy"
    "cjJqSE0vQmNQNjF2WEVwNjZuVndNVTFGM3NFdmFBTVRENjkzTlNIcUdtZGl1aTJXMQ==",
    "{SSHA512.HEX}"
    "9d3d40b3cc9fc656e70ec8ffdd0341619b4cefbe12c65d7e341e9463ee43aff49cefeee83812969ea8"
    "fe9f18bcd2b57ef68e51df9e5974e39aca1585f5128fa2eda9b351",
    // openssl dgst -md4 over UTF-16.
    "{NTLM}0f0800266a19a0ddc7ff30bba6c76e9b",
};

// At the costs that the tools choose: up to a second each.
const std::vector<std::string> kCostly = {
    // mkpasswd.
    "$y$j9T$5wUDc9Dnps0B9Oi3fzxTV.$X2ZcjsEudFfo/dWxfvdUHkS0Pv2cV5s5WjGtnPDN7b2",
    "$gy$j9T$Q89fH0Mi8Ecml/pUyB2l2.$ONmUsBcgIzHdLQP.3v8smJCJzJHc1gGpSG7LRLgyRN2",
    "$7$BU..../....LhnD7rwFgn/TC0kGZ9kvh0$4gRip6NYmVFuI4aznq1y4ge/rkEs7xiQ/.9Cvbonst5",
    "$7$CU..../....D8CIxOmJ2.tozatGHtNuK1$q8qlumKvCoh.jG1oo.jsYymxXeLyBYvBRS.vWRwTRn1",
    "$md5,rounds=37251$UnEiZUpJ$$Cv/T5EPsO6KRUJFLWlV5U.",
    // Python's crypt.
    "$2b$12$97CLxabnQ/jZ6IxeYFF.iOhkmNRbu5D.rBnBH938Gvy9yeOXzbr1u",
    // doveadm pw; the last with -r 3.
    "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$K8X//NEmiou7Gw5/2x926Q$H3QwjJUbAkwDk8f2JkVS+JWpg0A2sBsV"
    "A6MC94Yc5SE",
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$esQ0vs7laNiCR55Ib64Jzg$9qajqkOwnuWGoZqcMhzR+6IazYYG7y"
    "SpvavrAQrL9rQ",
    "{SHA512-CRYPT}$6$rounds=20000$A6MbjN2qF13YqCG4$EnulDCmwAOJgQqaPNVQuKgih//s8GMa3J4WUoZOBOcMHxvq"
    "1LMvrFEUFq9OY./z4WyvqYSGtJnAzDprSbkGb1.",
    // argon2 of the reference implementation.
    "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHQxNmJ5dGVzIQ$a5Zds2UoQiYa1T2QL1wXf3sbWmkXxUQ3U+6b/YF8+"
    "hM",
    "$argon2i$v=19$m=4096,t=3,p=4$c29tZXNhbHQxNmJ5dGVzIQ$0N1p0dwWKAi2tEj8qB87yRA26IR6KQGFI240kErvZx"
    "c",
};

TEST(ImportedHash, OfEachToolMatchesItsPasswordAndNoOther) {
  for (const auto& notations : {kQuick, kCostly}) {
    for (const std::string& notation : notations) {
      EXPECT_TRUE(Matches(notation, "pencil")) << notation;
      EXPECT_FALSE(Matches(notation, "Pencil")) << notation;
    }
  }
  for (const std::string& notation : kQuick) {
    EXPECT_FALSE(Matches(notation, "")) << notation;
    EXPECT_FALSE(Matches(notation, "pencil2")) << notation;
    EXPECT_FALSE(Matches(notation, std::string_view("pencil\0", 7))) << notation;
    EXPECT_FALSE(Matches(notation, std::string(5000, 'p'))) << notation;
  }
}

// What is stored reads as itself, and is told from our own Argon2id.
TEST(ImportedHash, IsStoredInOneForm) {
  for (const auto& notations : {kQuick, kCostly}) {
    for (const std::string& notation : notations) {
      const std::string text = Stored(notation);
      EXPECT_EQ(Stored(text), text);
      EXPECT_TRUE(IsImportedHash(text));
    }
  }
  EXPECT_EQ(Stored("{sha1.hex}D2FC512490A15036460B5489401439D6DA5407FA"),
            "{SHA}0vxRJJChUDZGC1SJQBQ51tpUB/o=");
  EXPECT_EQ(Stored("{MD5}a8f6830bce790a8a67fc2e84e12093ba"), "{LDAP-MD5}qPaDC855Copn/C6E4SCTug==");
  EXPECT_EQ(Stored("{MD5}qPaDC855Copn/C6E4SCTug"), "{LDAP-MD5}qPaDC855Copn/C6E4SCTug==");
  EXPECT_EQ(Stored("{nt}0F0800266A19A0DDC7FF30BBA6C76E9B"),
            "{NTLM}0f0800266a19a0ddc7ff30bba6c76e9b");
  EXPECT_EQ(Stored("{Blf-Crypt}" + kQuick[2]), "{CRYPT}" + kQuick[2]);
  EXPECT_FALSE(IsImportedHash("$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAA"));
}

// Neither lets the password in: a text that is refused, or one that is another hash.
void ExpectNoMatch(const std::string& text) {
  const absl::StatusOr<bool> matches = VerifyImportedHash(text, Secret("pencil"));
  EXPECT_FALSE(matches.ok() && *matches) << text;
  if (!matches.ok()) {
    EXPECT_TRUE(absl::IsDataLoss(matches.status())) << text;
  }
}

TEST(ImportedHash, WithOneByteChangedMatchesNothing) {
  for (const std::string& notation : kQuick) {
    const std::string text = Stored(notation);
    const size_t begin = text.find('}') + 1;
    for (size_t at = begin; at < text.size(); ++at) {
      // bcrypt's letters a, b, x and y differ for other passwords than this.
      if (text.substr(begin, 2) == "$2" && at == begin + 2) continue;
      std::string changed = text;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      ExpectNoMatch(changed);
    }
    ExpectNoMatch(text.substr(0, text.size() - 1));
    ExpectNoMatch(text + "A");
  }
  for (const std::string& notation : kCostly) {
    std::string changed = Stored(notation);
    changed[changed.size() - 5] = static_cast<char>(changed[changed.size() - 5] ^ 1);
    ExpectNoMatch(changed);
  }
}

// doveadm, htpasswd and openssl, each of what the second is.
TEST(ImportedHash, OfOtherLettersAndLengths) {
  const std::string umlauts =
      "gr\xc3\xbc\xc3\x9f"
      "e \xc2\xa3"
      "5 \xc3\xb8";
  for (const char* notation :
       {"{SHA512-CRYPT}$6$PCX.gyMB0x5njIWA$8J8Nqx.dzx7dcBWtPVdj9H1XXVIiS6cFsTvoY2yloDSGkQ90M6qh.Kgs"
        "p7gC1LoVb.39N/nN2vE9tzC1/nytR1",
        "{SSHA256}YzU9UjjxPnJFnCtxep7pmthNSHccqmGv1MRUKVGRtxC26S+w",
        "{BLF-CRYPT}$2y$05$6cHeh.iV2SkpvrBqVt6/.ucrgBF372E5hTsTwlNUmeeBXrId.khDm",
        "{PBKDF2}$1$voArowRGVHMBjrGT$5000$00f3bc1b58999f8d7599c509d820e4045963d56d",
        "{MD5-CRYPT}$1$el24YAm9$/24WjlnIxJJ8YJ7lt/8Gh1",
        "$2x$05$abcdefghijklmnopqrstuuYRGp8KWdWfpqAyl4q0LNgDwMUYOF.RW"}) {
    EXPECT_TRUE(Matches(notation, umlauts)) << notation;
    EXPECT_FALSE(Matches(notation, "grusse 5 o")) << notation;
  }
  EXPECT_TRUE(Matches("$apr1$f6UnwQoY$9cJ18PYhwIxD3iUyVSaqH/",
                      "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c\xe2\x82\xac"));
  EXPECT_TRUE(Matches("$apr1$/SwRacdP$LlAHRilsaitV01J.LvKHU0", std::string(100, 'x')));
  EXPECT_TRUE(Matches("$apr1$$8OOCLiMFXc/p7SWILjIiz.", "y"));
  EXPECT_TRUE(Matches("$apr1$12345678$vc38ZupyU1KkWqFuFfTA/.", "0123456789abcdef"));
  EXPECT_TRUE(Matches("$apr1$1234567$O.QX3ubpGNZIvnQeaXUgl.", "0123456789abcdefg"));
  // openssl dgst -md4 over UTF-16 with a surrogate pair.
  const char* const nt = "{NT}0509a0820df62ee0c2d6a4326fd574c6";
  EXPECT_TRUE(Matches(nt,
                      "gr\xc3\xbc\xc3\x9f"
                      "e \xe2\x82\xac\xf0\x9d\x84\x9e"));
  for (const char* not_utf8 : {"gr\xfc\xdf", "\xc3", "\xe2\x82", "\xf5\x80\x80\x80", "\xc0\x80",
                               "\xed\xa0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\x80"}) {
    EXPECT_FALSE(Matches(nt, not_utf8));
  }
}

// doveadm and mkpasswd, of "password1" and of 80 letters: eight characters count for DES, 72 bytes
// for bcrypt, and libcrypt takes no more than 511.
TEST(ImportedHash, CutsPasswordsAsItsMethodDoes) {
  const char* const des = "{DES-CRYPT}G4xILbRj62NHA";
  EXPECT_TRUE(Matches(des, "password1"));
  EXPECT_TRUE(Matches(des, "password"));
  EXPECT_FALSE(Matches(des, "passwor"));
  EXPECT_TRUE(Matches("{CRYPT}_J9..KyWltYkAZPBkOyM", "password1"));
  EXPECT_FALSE(Matches("{CRYPT}_J9..KyWltYkAZPBkOyM", "password"));
  const char* const bcrypt = "$2b$05$UKZynmT0jHtNFkkwyeRIsehlM7DXk1ndsVtoDQtYfzYw5blH4dH9K";
  EXPECT_TRUE(Matches(bcrypt, std::string(80, 'x')));
  EXPECT_TRUE(Matches(bcrypt, std::string(72, 'x')));
  EXPECT_FALSE(Matches(bcrypt, std::string(71, 'x')));
  EXPECT_TRUE(Matches(bcrypt, std::string(511, 'x')));
  EXPECT_FALSE(Matches(bcrypt, std::string(512, 'x')));
}

TEST(ImportedHash, WhatIsNoneIsDataLoss) {
  for (const char* text :
       {"", "{", "{}", "$6$Rb8V/lT7y3kfwqaq$x", "{PLAIN}pencil",
        "{SHA1}0vxRJJChUDZGC1SJQBQ51tpUB/o=", "{sha}0vxRJJChUDZGC1SJQBQ51tpUB/o=",
        "{CRYPT}$2y$31$coZjc0Y3SIi2B9yCVe3A0uGRXsQ6zcVFIcAFdop"
        "UqdVbRqwIi/ryS",
        "{DIGEST-MD5}59d05624acb3d9cf8d4a2e7d8c152938",
        "{CRYPT}$y$j75$A$olxxfuAeIDUXScOqGfZSMhlY/u0z4UTLe1BKHGFESd4"}) {
    const absl::StatusOr<bool> matches = VerifyImportedHash(text, Secret("pencil"));
    EXPECT_TRUE(absl::IsDataLoss(matches.status())) << text << ": " << matches.status();
  }
}

}  // namespace
}  // namespace sasld
