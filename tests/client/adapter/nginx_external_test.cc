// EXTERNAL by way of nginx's auth_http.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_replace.h"
#include "tests/client/adapter/example_certificate.h"
#include "tests/client/adapter/nginx_dialogue.h"

namespace sasld {
namespace {

constexpr std::string_view kRequestOfExternal =
    "GET /auth HTTP/1.0\r\nHost: 127.0.0.1\r\nAuth-Method: external\r\nAuth-User: alice1\r\n"
    "Auth-Pass: \r\nAuth-Protocol: smtp\r\nAuth-Login-Attempt: 1\r\nClient-IP: 127.0.0.1\r\n"
    "Client-Host: [UNAVAILABLE]\r\nX-Secret: s3\r\n\r\n";

// To these nginx would log in with the client's password, of which there is none.
TEST(NginxExternal, ExternalIsForSmtpOnly) {
  for (const char* protocol : {"Auth-Protocol: imap", "Auth-Protocol: pop3"}) {
    NginxDialogue dialogue;
    dialogue.Receive(With(kRequestOfExternal, "Auth-Protocol: smtp", protocol));
    EXPECT_NE(dialogue.out.find("mechanism not supported here"), std::string::npos);
    EXPECT_EQ(dialogue.Closed(), "");
  }
}

std::string RequestWithCertificate() {
  return With(kRequestOfExternal, "X-Secret: s3",
              "Auth-SSL: on\r\nAuth-SSL-Verify: SUCCESS\r\nAuth-SSL-Cert: " +
                  absl::StrReplaceAll(kExampleCertificate, {{" ", "%20"}, {"\n", "%0A"}}));
}

TEST(NginxExternal, ExternalTellsOfTheCertificate) {
  NginxDialogue dialogue;
  dialogue.Receive(RequestWithCertificate());
  const v1::StepRequest step = dialogue.Step();
  EXPECT_EQ(step.mechanism(), "EXTERNAL");
  EXPECT_EQ(step.response(), "alice1");
  EXPECT_TRUE(step.connection().secured());
  EXPECT_EQ(step.connection().certificate().common_name(), "Ann Example");
  EXPECT_EQ(step.connection().certificate().sha256_fingerprint().size(), 32u);
  dialogue.Answer(SuccessAs("alice1@example.org"));
  EXPECT_NE(dialogue.out.find("Auth-User: alice1@example.org\r\n"), std::string::npos);
}

// RFC 4422 s.A.1: who the certificate says, then.
TEST(NginxExternal, ExternalMayNameNobody) {
  NginxDialogue dialogue;
  dialogue.Receive(With(RequestWithCertificate(), "Auth-User: alice1", "Auth-User: "));
  const v1::StepRequest step = dialogue.Step();
  EXPECT_TRUE(step.has_response());
  EXPECT_EQ(step.response(), "");
}

TEST(NginxExternal, TellsThatExternalIsOff) {
  NginxDialogue dialogue;
  dialogue.Receive(RequestWithCertificate());
  dialogue.Step();
  dialogue.Answer(FailureOf(v1::Failure::MECHANISM_UNAVAILABLE));
  EXPECT_EQ(dialogue.out, kNotHere);
  EXPECT_TRUE(dialogue.Noticed());
}

TEST(NginxExternal, ExternalIsRefusedWithoutAVerifiedCertificate) {
  const std::string with_tls = With(kRequestOfExternal, "X-Secret: s3", "Auth-SSL: on");
  for (const std::string& request :
       {std::string(kRequestOfExternal), with_tls,
        With(with_tls, "Auth-SSL: on", "Auth-SSL: on\r\nAuth-SSL-Verify: NONE"),
        With(with_tls, "Auth-SSL: on", "Auth-SSL: on\r\nAuth-SSL-Verify: FAILED:self-signed"),
        With(with_tls, "Auth-SSL: on", "Auth-SSL-Verify: SUCCESS")}) {
    NginxDialogue dialogue;
    dialogue.Receive(request);
    EXPECT_EQ(dialogue.out, kWrongLogin);
    EXPECT_EQ(dialogue.events.size(), 1u);
  }
}

TEST(NginxExternal, TellsThatTheCertificateIsNotPassed) {
  for (const char* certificate : {"", "\r\nAuth-SSL-Cert: junk"}) {
    NginxDialogue dialogue;
    dialogue.Receive(
        With(kRequestOfExternal, "X-Secret: s3",
             std::string("Auth-SSL: on\r\nAuth-SSL-Verify: SUCCESS").append(certificate)));
    EXPECT_EQ(dialogue.out, kTryLater);
    EXPECT_TRUE(dialogue.Noticed());
  }
}

}  // namespace
}  // namespace sasld
