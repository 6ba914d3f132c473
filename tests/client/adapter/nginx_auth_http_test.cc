#include "client/adapter/nginx_auth_http.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/client/adapter/nginx_dialogue.h"

namespace sasld {
namespace {

using std::string_literals::operator""s;

constexpr std::string_view kRequestWithTls =
    "GET /auth HTTP/1.0\r\nHost: 127.0.0.1\r\nAuth-Method: plain\r\nAuth-User: bob\r\n"
    "Auth-Pass: pw\r\nAuth-Protocol: smtp\r\nAuth-Login-Attempt: 1\r\nClient-IP: 127.0.0.1\r\n"
    "Client-Host: [UNAVAILABLE]\r\nAuth-SSL: on\r\nAuth-SSL-Protocol: TLSv1.2\r\n"
    "Auth-SSL-Cipher: ECDHE-RSA-AES256-GCM-SHA384\r\nX-Secret: s3\r\n\r\n";
constexpr std::string_view kRequestOfCramMd5 =
    "GET /auth HTTP/1.0\r\nHost: 127.0.0.1\r\nAuth-Method: cram-md5\r\nAuth-User: bob\r\n"
    "Auth-Pass: 0123456789abcdef0123456789abcdef\r\n"
    "Auth-Salt: <687481581.1795452005@mx.test.example>\r\nAuth-Protocol: smtp\r\n"
    "Auth-Login-Attempt: 1\r\nClient-IP: 127.0.0.1\r\nClient-Host: [UNAVAILABLE]\r\n"
    "X-Secret: s3\r\n\r\n";

TEST(NginxAuthHttp, AsksForOneStepOfPlainWhateverThePieces) {
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, kRequest.size()}) {
    SCOPED_TRACE(piece);
    NginxDialogue dialogue;
    dialogue.session->Greet(dialogue.out);
    for (size_t at = 0; at < kRequest.size(); at += piece) {
      EXPECT_TRUE(dialogue.events.empty());
      dialogue.Receive(kRequest.substr(at, piece));
    }
    const v1::StepRequest step = dialogue.Step();
    EXPECT_EQ(step.mechanism(), "PLAIN");
    EXPECT_EQ(step.response(), "\0bob\0p% w+ d\xc3\xa4"s);
    EXPECT_EQ(step.connection().service(), "smtp");
    EXPECT_EQ(step.connection().remote_ip(), "127.0.0.1");
    EXPECT_FALSE(step.connection().secured());
    EXPECT_FALSE(step.connection().has_certificate());
    EXPECT_EQ(dialogue.out, "");
    dialogue.Answer(SuccessAs("bob@example.org"));
    EXPECT_EQ(dialogue.out,
              "HTTP/1.0 200 OK\r\nAuth-Status: OK\r\nAuth-Server: 192.0.2.7\r\nAuth-Port: 25\r\n"
              "Auth-User: bob@example.org\r\n\r\n");
    EXPECT_EQ(dialogue.Closed(), "");
  }
}

TEST(NginxAuthHttp, EachProtocolHasItsBackend) {
  for (const auto& [protocol, server] : std::vector<std::pair<std::string, std::string>>{
           {"imap", "Auth-Server: 127.0.0.1\r\nAuth-Port: 143\r\n"},
           {"pop3", "Auth-Server: ::1\r\nAuth-Port: 110\r\n"},
           {"smtp", "Auth-Server: 192.0.2.7\r\nAuth-Port: 25\r\n"}}) {
    NginxDialogue dialogue;
    dialogue.Receive(With(kRequest, "Auth-Protocol: smtp", "Auth-Protocol: " + protocol));
    EXPECT_EQ(dialogue.Step().connection().service(), protocol);
    dialogue.Answer(SuccessAs("bob"));
    EXPECT_NE(dialogue.out.find(server), std::string::npos) << dialogue.out;
  }
}

TEST(NginxAuthHttp, TlsSecuresThePassword) {
  NginxDialogue dialogue;
  dialogue.Receive(kRequestWithTls);
  EXPECT_TRUE(dialogue.Step().connection().secured());
}

TEST(NginxAuthHttp, TellsWrongLoginsInEachProtocolsWords) {
  for (const auto& [protocol, answer] : std::vector<std::pair<std::string, std::string>>{
           {"smtp", kWrongLogin},
           {"imap",
            "HTTP/1.0 200 OK\r\nAuth-Status: [AUTHENTICATIONFAILED] Invalid login or password\r\n"
            "Auth-Wait: 1\r\n\r\n"},
           {"pop3",
            "HTTP/1.0 200 OK\r\nAuth-Status: [AUTH] Invalid login or password\r\n"
            "Auth-Wait: 1\r\n\r\n"}}) {
    for (const auto code : {v1::Failure::AUTHENTICATION_FAILED, v1::Failure::MALFORMED}) {
      NginxDialogue dialogue;
      dialogue.Receive(With(kRequest, "Auth-Protocol: smtp", "Auth-Protocol: " + protocol));
      dialogue.Step();
      dialogue.Answer(FailureOf(code));
      EXPECT_EQ(dialogue.out, answer);
      EXPECT_EQ(dialogue.Closed(), "");
    }
  }
}

TEST(NginxAuthHttp, TellsWhatIsTemporaryInEachProtocolsWords) {
  v1::StepReply challenge;
  challenge.mutable_challenge();
  for (const auto& [protocol, answer] : std::vector<std::pair<std::string, std::string>>{
           {"smtp", kTryLater},
           {"imap",
            "HTTP/1.0 200 OK\r\nAuth-Status: [UNAVAILABLE] Temporary authentication failure\r\n"
            "Auth-Wait: 1\r\n\r\n"},
           {"pop3",
            "HTTP/1.0 200 OK\r\nAuth-Status: [SYS/TEMP] Temporary authentication failure\r\n"
            "Auth-Wait: 1\r\n\r\n"}}) {
    for (const v1::StepReply& reply : {Temporary(), challenge, v1::StepReply()}) {
      NginxDialogue dialogue;
      dialogue.Receive(With(kRequest, "Auth-Protocol: smtp", "Auth-Protocol: " + protocol));
      dialogue.Step();
      dialogue.Answer(reply);
      EXPECT_EQ(dialogue.out, answer);
      EXPECT_EQ(dialogue.Closed(), "");
    }
  }
}

TEST(NginxAuthHttp, HangsUpForTemporaryFailuresIfToldSo) {
  NginxDialogue dialogue;
  dialogue.session = MakeNginxAuthHttpSession({dialogue.mechanisms,
                                               TemporaryFailureWay::kClose,
                                               1,
                                               1,
                                               {},
                                               {},
                                               nullptr,
                                               &dialogue.backends});
  dialogue.Receive(kRequest);
  dialogue.Step();
  dialogue.Answer(Temporary());
  EXPECT_EQ(dialogue.out, "");
  EXPECT_EQ(dialogue.Closed(), "");
}

TEST(NginxAuthHttp, TellsThatTlsIsWanted) {
  NginxDialogue dialogue;
  dialogue.Receive(kRequest);
  dialogue.Step();
  dialogue.Answer(FailureOf(v1::Failure::ENCRYPTION_REQUIRED));
  EXPECT_NE(dialogue.out.find("Auth-Error-Code: 538 5.7.11\r\n"), std::string::npos);
  EXPECT_NE(dialogue.out.find("Auth-Status: Encryption required"), std::string::npos);
}

// It is the administrator's mistake: nobody's password is wrong.
TEST(NginxAuthHttp, IsTemporaryAndToldWherePlainIsOff) {
  NginxDialogue dialogue;
  dialogue.Receive(kRequest);
  dialogue.Step();
  dialogue.Answer(FailureOf(v1::Failure::MECHANISM_UNAVAILABLE));
  EXPECT_EQ(dialogue.out, kTryLater);
  EXPECT_TRUE(dialogue.Noticed());
}

TEST(NginxAuthHttp, IsTemporaryAndToldWhereThereIsNoBackend) {
  NginxDialogue dialogue;
  dialogue.backends.smtp = {};
  dialogue.Receive(kRequest);
  EXPECT_EQ(dialogue.out, kTryLater);
  EXPECT_TRUE(dialogue.Noticed());
}

// nginx has made their challenges; sasld answers for its own only.
TEST(NginxAuthHttp, RefusesWhatNginxMadeTheChallengeOf) {
  const std::string apop = With(kRequestOfCramMd5, "cram-md5", "apop");
  const std::string later = With(kRequestOfCramMd5, "cram-md5", "xoauth2");
  for (const std::string& request : {std::string(kRequestOfCramMd5), apop, later}) {
    NginxDialogue dialogue;
    dialogue.Receive(request);
    EXPECT_EQ(dialogue.out, kNotHere);
    EXPECT_TRUE(dialogue.Noticed());
    EXPECT_EQ(dialogue.Closed(), "");
  }
}

TEST(NginxAuthHttp, NoLoginIsNoLogin) {
  NginxDialogue dialogue;
  dialogue.Receive(With(kRequest, "Auth-Method: plain", "Auth-Method: none"));
  EXPECT_NE(dialogue.out.find("Auth-Error-Code: 530 5.7.0\r\n"), std::string::npos);
  EXPECT_EQ(dialogue.Closed(), "");
}

TEST(NginxAuthHttp, RefusesNamesAndPasswordsThatNobodyHas) {
  const std::string longest(16384 - 2 - 3, 'x');
  for (const auto& [line, other] : std::vector<std::pair<std::string, std::string>>{
           {"Auth-User: bob", "Auth-User: "},
           {"Auth-User: bob", "Auth-User: b%00b"},
           {"Auth-Pass: p%25", "Auth-Pass: %00"},
           {"Auth-Pass: p%25%20w+%20d\xc3\xa4", "Auth-Pass: "},
           {"Auth-Pass: p%25%20w+%20d\xc3\xa4", "X-Pass: x"},
           {"Auth-Pass: p%25%20w+%20d\xc3\xa4", "Auth-Pass: x" + longest}}) {
    NginxDialogue dialogue;
    dialogue.Receive(With(kRequest, line, other));
    EXPECT_EQ(dialogue.out, kWrongLogin) << other.substr(0, 20);
    EXPECT_EQ(dialogue.events.size(), 1u);
  }
  NginxDialogue dialogue;
  dialogue.Receive(With(kRequest, "p%25%20w+%20d\xc3\xa4", longest));
  EXPECT_EQ(dialogue.Step().response().size(), 16384u);
}

// nginx writes it as it is into XCLIENT and USER.
TEST(NginxAuthHttp, NamesWithABlankAreNotPassedOn) {
  for (const std::string& name : {"bob NAME=trusted"s, "bob\x7f"s, ""s, std::string(513, 'n')}) {
    NginxDialogue dialogue;
    dialogue.Receive(kRequest);
    dialogue.Step();
    dialogue.Answer(SuccessAs(name));
    EXPECT_EQ(dialogue.out, kTryLater);
    EXPECT_TRUE(dialogue.Noticed());
  }
}

// nginx reads so much and then gives up.
TEST(NginxAuthHttp, TheLongestAnswerHas1024BytesAtMost) {
  NginxDialogue dialogue;
  dialogue.backends.smtp = {"2001:db8:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa", 65535};
  dialogue.Receive(kRequest);
  dialogue.Step();
  dialogue.Answer(SuccessAs(std::string(512, 'n')));
  EXPECT_GT(dialogue.out.size(), 512u);
  EXPECT_LE(dialogue.out.size(), 1024u);
}

TEST(NginxAuthHttp, BrokenRequestsAreHungUpOn) {
  for (const auto& [line, other, why] : std::vector<std::array<std::string, 3>>{
           {"GET /auth HTTP/1.0", "POST /auth HTTP/1.0", "no GET of HTTP/1.0"},
           {"GET /auth HTTP/1.0", "GET /auth HTTP/2.0", "no GET of HTTP/1.0"},
           {"GET /auth HTTP/1.0", "GET HTTP/1.0", "no GET of HTTP/1.0"},
           {"GET /auth HTTP/1.0", "GET  HTTP/1.0", "no GET of HTTP/1.0"},
           {"GET /auth HTTP/1.0", "GET /a b HTTP/1.0", "no GET of HTTP/1.0"},
           {"GET /auth HTTP/1.0", "GET auth HTTP/1.0", "no GET of HTTP/1.0"},
           {"GET /auth HTTP/1.0", "", "no GET of HTTP/1.0"},
           {"Host: 127.0.0.1", "Host 127.0.0.1", "a header without a name"},
           {"Host: 127.0.0.1", ": 127.0.0.1", "a header without a name"},
           {"Host: 127.0.0.1", " folded: x", "a header without a name"},
           {"Host: 127.0.0.1", "Host : x", "a header without a name"},
           {"Host: 127.0.0.1", "Host: a\nb", "a header with a stray CR, LF or NUL"},
           {"Host: 127.0.0.1", "Host: a\rb", "a header with a stray CR, LF or NUL"},
           {"Host: 127.0.0.1", "Host: a\0b"s, "a header with a stray CR, LF or NUL"},
           {"Host: 127.0.0.1", "auth-user: ann", "a header that comes twice"},
           {"Auth-Method: plain", "X: y", "a request without Auth-Method"},
           {"Auth-Protocol: smtp", "X: y", "an Auth-Protocol that is none of smtp, imap, pop3"},
           {"Auth-Protocol: smtp", "Auth-Protocol: SMTP",
            "an Auth-Protocol that is none of smtp, imap, pop3"},
           {"Client-IP: 127.0.0.1", "X: y", "a Client-IP that is no address"},
           {"Client-IP: 127.0.0.1", "Client-IP: localhost", "a Client-IP that is no address"},
           {"Auth-User: bob", "Auth-User: b%2", "an Auth-User with a broken escape"},
           {"Auth-User: bob", "Auth-User: b%zz", "an Auth-User with a broken escape"},
           {"Auth-Pass: p%25", "Auth-Pass: p%2g", "an Auth-Pass with a broken escape"}}) {
    SCOPED_TRACE(other);
    NginxDialogue dialogue;
    dialogue.Receive(With(kRequest, line, other));
    EXPECT_EQ(dialogue.Closed(), why);
    EXPECT_EQ(dialogue.out, "");
    EXPECT_EQ(dialogue.events.size(), 1u);
    dialogue.events.clear();
    dialogue.Receive(kRequest);
    EXPECT_TRUE(dialogue.events.empty()) << "nothing is taken any more";
  }
}

TEST(NginxAuthHttp, ARequestHasNothingBehindIt) {
  NginxDialogue dialogue;
  dialogue.Receive(std::string(kRequest) + "x");
  EXPECT_EQ(dialogue.Closed(), "a request with something behind it");
}

TEST(NginxAuthHttp, WhatComesAfterARequestIsNotTaken) {
  NginxDialogue dialogue;
  dialogue.Receive(kRequest);
  dialogue.Step();
  dialogue.Receive(kRequest);
  EXPECT_TRUE(dialogue.events.empty());
}

TEST(NginxAuthHttp, AClientOnAUnixSocketIsOnThisMachine) {
  NginxDialogue dialogue;
  dialogue.Receive(With(kRequest, "Client-IP: 127.0.0.1", "Client-IP: unix:"));
  EXPECT_EQ(dialogue.Step().connection().remote_ip(), "");
}

TEST(NginxAuthHttp, ARequestIsBoundedBeforeItIsRead) {
  const std::string padding(65536 - kRequest.size(), 'x');
  NginxDialogue whole;
  whole.Receive(With(kRequest, "X-Secret: s3", "X-Secret: s3" + padding));
  EXPECT_EQ(whole.Step().mechanism(), "PLAIN");
  NginxDialogue long_one;
  const std::string request = With(kRequest, "X-Secret: s3", "X-Secret: s3x" + padding);
  long_one.Receive(std::string_view(request).substr(0, 65536));
  EXPECT_TRUE(long_one.events.empty());
  long_one.Receive(std::string_view(request).substr(65536));
  EXPECT_EQ(long_one.Closed(), "a request of more than 65536 bytes");
}

TEST(NginxAuthHttp, AnswersOnceOnly) {
  NginxDialogue dialogue;
  dialogue.Answer(SuccessAs("bob"));
  EXPECT_EQ(dialogue.out, "") << "nothing was asked";
  dialogue.Receive(kRequest);
  dialogue.Step();
  dialogue.Answer(SuccessAs("bob"));
  const std::string once = dialogue.out;
  dialogue.Answer(SuccessAs("bob"));
  EXPECT_EQ(dialogue.out, once);
}

}  // namespace
}  // namespace sasld
