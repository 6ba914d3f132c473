#include "server/auth/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

namespace sasld {
namespace {

using testing::HasSubstr;

struct Trail {
  explicit Trail(bool successes = true)
      : audit(std::make_shared<spdlog::logger>(
                  "t", std::make_shared<spdlog::sinks::ostream_sink_mt>(text)),
              successes) {}
  std::ostringstream text;
  Audit audit;
};

TEST(Audit, LineHasAllFieldsInOrder) {
  Trail trail;
  ConnectionFacts facts;
  facts.service = "smtp";
  facts.remote_ip = "2001:db8::1";
  facts.secured = true;
  trail.audit.Refused({"PLAIN", facts, "ann", ""}, Reason::kBadCredentials, "PLAIN");
  EXPECT_THAT(trail.text.str(),
              HasSubstr("auth result=failure reason=bad-credentials mechanism=PLAIN user=\"ann\" "
                        "service=smtp remote_ip=2001:db8::1 secured=yes detail=\"PLAIN\"\n"));
}

TEST(Audit, HostileValuesStayInTheirQuotes) {
  Trail trail;
  ConnectionFacts facts;
  facts.service = "smtp user=\"root\"\n";
  trail.audit.Refused({"PLAIN", facts, "a\" x=\"\n\\", ""}, Reason::kMalformed, "d");
  const std::string text = trail.text.str();
  EXPECT_THAT(text, HasSubstr(R"(user="a\" x=\"?\\")"));
  EXPECT_THAT(text, HasSubstr(R"(service="smtp user=\"root\"?")"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(Audit, CountsAndMayKeepSilentOnSuccess) {
  Trail trail(false);
  const ConnectionFacts facts;
  trail.audit.Granted({"PLAIN", facts, "ann", ""});
  EXPECT_EQ(trail.text.str(), "");
  EXPECT_EQ(trail.audit.counts().granted, 1u);
}

TEST(Audit, NamesTheOtherIdentity) {
  Trail trail;
  const ConnectionFacts facts;
  trail.audit.Granted({"PLAIN", facts, "boss", "ann"});
  EXPECT_THAT(trail.text.str(), HasSubstr("user=\"boss\""));
  EXPECT_THAT(trail.text.str(), HasSubstr("authzid=\"ann\""));
}

TEST(Audit, TheCredentialEndsTheLine) {
  Trail trail;
  const ConnectionFacts facts;
  trail.audit.Granted({"PLAIN", facts, "ann", "", "", "main"});
  EXPECT_THAT(trail.text.str(), HasSubstr(" secured=no credential=main\n"));
  trail.audit.Refused({"PLAIN", facts, "ann", "", "", "app:k3m9x7q2"}, Reason::kSendOnly, "why");
  EXPECT_THAT(trail.text.str(), HasSubstr("reason=send-only "));
  EXPECT_THAT(trail.text.str(), HasSubstr(" detail=\"why\" credential=app:k3m9x7q2\n"));
}

}  // namespace
}  // namespace sasld
