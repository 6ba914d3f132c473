#include "client/adapter/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "adapter_fixture.h"
#include "client/adapter/connection.h"

namespace sasld {
namespace {

using testing::AdapterTest;
using testing::FakeSaslServer;
using testing::Mta;

v1::StepReply Failure() {
  v1::StepReply reply;
  reply.mutable_failure()->set_code(v1::Failure::AUTHENTICATION_FAILED);
  return reply;
}

v1::StepReply Temporary() {
  v1::StepReply reply;
  reply.mutable_temporary()->set_text("too busy to check passwords");
  return reply;
}

class AdapterMetricsTest : public AdapterTest {
 protected:
  void Start(const std::string& more_listen = "", const std::string& more = "") {
    StartAdapter(more_listen, more + "[metrics]\nlisten = \"unix:" + MetricsPath() + "\"\n");
  }
  std::string MetricsPath() const { return folder_.File("metrics"); }

  std::string Scrape() const {
    const int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    MetricsPath().copy(to.sun_path, sizeof(to.sun_path) - 1);
    EXPECT_EQ(connect(end, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    constexpr std::string_view kRequest = "GET /metrics HTTP/1.0\r\n\r\n";
    EXPECT_EQ(send(end, kRequest.data(), kRequest.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(kRequest.size()));
    std::string reply;
    char bytes[4096];
    for (ssize_t count = 0; (count = recv(end, bytes, sizeof(bytes), 0)) > 0;) {
      reply.append(bytes, static_cast<size_t>(count));
    }
    close(end);
    return reply;
  }
  // The value of a family at this listener; `more`: further labels, with a comma before.
  std::string Of(const std::string& family, const std::string& more = "") const {
    return Value(family + "{listener=\"" + Path() + "\",protocol=\"dovecot-auth\"" + more + "}");
  }
  std::string Value(const std::string& series) const {
    const std::string text = Scrape();
    const size_t at = text.find("\n" + series + " ");
    if (at == std::string::npos) return "<none>";
    const size_t begin = at + series.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  }
  std::string Outcomes() const {
    std::string all;
    for (const char* outcome : {"granted", "refused", "temporary"}) {
      all += Of("sasld_adapter_exchanges_total", ",outcome=\"" + std::string(outcome) + "\"") + " ";
    }
    return all;
  }
  std::string TemporaryFor(const std::string& reason) const {
    return Of("sasld_adapter_temporary_failures_total", ",reason=\"" + reason + "\"");
  }
};

TEST_F(AdapterMetricsTest, CountExchangesByOutcome) {
  std::atomic<int> step = 0;
  FakeSaslServer server(SaslPath(),
                        [&step](const v1::StepRequest&) -> std::optional<v1::StepReply> {
                          switch (step++) {
                            case 0:
                              return Temporary();
                            case 1:
                            case 2:
                              return Failure();
                            case 3:
                              return testing::ChallengeOf("more", "sealed");
                            default:
                              return testing::SuccessFor("alice");
                          }
                        });
  server.SetMechanisms({"LOGIN plaintext"});
  Start();
  WaitForMechanisms("MECH\tLOGIN");
  EXPECT_EQ(Outcomes(), "0 0 0 ");
  Mta mta(Path());
  mta.Handshake(2);
  for (int id = 1; id <= 5; ++id) {
    mta.Write("AUTH\t" + std::to_string(id) + "\t" + testing::kLogin);
    EXPECT_NE(mta.Line(), "<closed>");
  }
  mta.Write("CONT\t4\tc2VjcmV0\n");
  mta.Line();
  EXPECT_EQ(Outcomes(), "2 2 1 ");
  EXPECT_EQ(Of("sasld_adapter_exchanges_begun_total"), "5");
  EXPECT_EQ(TemporaryFor("sasld"), "1");
  EXPECT_EQ(TemporaryFor("no-server"), "0");
  EXPECT_EQ(Of("sasld_adapter_connections"), "1");
  EXPECT_EQ(Value("sasld_adapter_steps_under_way"), "0");
  EXPECT_EQ(Value("sasld_adapter_servers"), "1");
  EXPECT_EQ(Value("sasld_adapter_servers_connected"), "1");
  EXPECT_EQ(Value("sasld_adapter_start_time_seconds"), "1800000000");
  const std::string text = Scrape();
  for (const char* secret : {"alice", "PLAIN", "LOGIN", "smtp"}) {
    EXPECT_EQ(text.find(secret), std::string::npos) << secret;
  }
}

TEST_F(AdapterMetricsTest, TellWhoMustWaitForHisTurn) {
  FakeSaslServer server(SaslPath(), [](const v1::StepRequest&) { return Failure(); });
  server.SetMechanisms({"LOGIN plaintext"});
  Start();
  WaitForMechanisms("MECH\tLOGIN");
  Mta mta(Path());
  mta.Handshake(2);
  for (int id = 1; id <= 3 * Connection::kMostBegun; ++id) {
    mta.Write("AUTH\t" + std::to_string(id) + "\t" + testing::kLogin);
    ASSERT_TRUE(mta.Line().starts_with("FAIL"));
  }
  EXPECT_NE(Of("sasld_adapter_turns_awaited_total"), "0");
}

TEST_F(AdapterMetricsTest, TellWhySasldDidNotAnswer) {
  Start("", "[limits]\nanswer_within = \"500ms\"\n");
  {
    Mta mta(Path());
    mta.Handshake(1);
    mta.Write("AUTH\t1\t" + std::string(testing::kLogin));
    EXPECT_EQ(mta.Line(), "<closed>");
  }
  EXPECT_EQ(TemporaryFor("no-server"), "1");
  EXPECT_EQ(Value("sasld_adapter_servers"), "1");
  EXPECT_EQ(Value("sasld_adapter_servers_connected"), "0");
  FakeSaslServer server(SaslPath(), testing::StaySilent);
  server.SetMechanisms({"LOGIN plaintext"});
  WaitForMechanisms("MECH\tLOGIN");
  Mta mta(Path());
  mta.Handshake(1);
  mta.Write("AUTH\t1\t" + std::string(testing::kLogin));
  EXPECT_EQ(mta.Line(), "<closed>");
  EXPECT_EQ(TemporaryFor("no-answer"), "1");
  EXPECT_EQ(Outcomes(), "0 0 2 ");
}

TEST_F(AdapterMetricsTest, CountStrangersAndThoseWhoBreakTheProtocol) {
  Start("allow_users = [\"" + std::to_string(geteuid() + 1) + "\"]\n");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Mta(Path()).Line(), "<closed>");
  EXPECT_EQ(Of("sasld_adapter_connections_refused_total"), "3");
  EXPECT_EQ(Of("sasld_adapter_connections_total"), "0");
  StopAdapter();
  Start();
  Mta mta(Path());
  mta.Greeting();
  mta.Write("NONSENSE\n");
  EXPECT_EQ(mta.Line(), "<closed>");
  EXPECT_EQ(Of("sasld_adapter_protocol_violations_total"), "1");
  EXPECT_EQ(Of("sasld_adapter_turns_awaited_total"), "0");
  EXPECT_EQ(Of("sasld_adapter_connections_total"), "1");
}

TEST_F(AdapterMetricsTest, AnAddressInUseCostsNoLogin) {
  FakeSaslServer server(SaslPath(), testing::Succeed);
  const SocketFile taken{MetricsPath(), 0600, "", ""};
  absl::StatusOr<int> other = ListenUnix(taken, 1);
  ASSERT_TRUE(other.ok()) << other.status();
  Start();
  Mta mta(Path());
  mta.Handshake(1);
  mta.Write("AUTH\t1\t" + std::string(testing::kLogin));
  EXPECT_EQ(mta.Line(), "OK\t1\tuser=alice");
  StopAdapter();
  close(*other);
  EXPECT_THAT(log_text_.str(), ::testing::HasSubstr("metrics: "));
  EXPECT_THAT(log_text_.str(), ::testing::HasSubstr("Trying again; logins go on without"));
}

}  // namespace
}  // namespace sasld
