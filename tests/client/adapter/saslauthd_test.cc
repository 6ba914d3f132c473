#include "client/adapter/saslauthd.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace sasld {
namespace {

using std::string_literals::operator""s;

std::string Counted(std::string_view text) {
  return std::string{static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xff)}
      .append(text);
}

std::string Request(const std::vector<std::string>& fields) {
  std::string request;
  for (const std::string& field : fields) request += Counted(field);
  return request;
}

// What testsaslauthd -u ok -p secret -s smtp -r example.org writes.
const std::string kRequest =
    "\x00\x02ok\x00\x06secret\x00\x04smtp\x00\x0b"
    "example.org"s;

struct Dialogue {
  void Receive(std::string_view bytes) { session->Receive(bytes, out, events); }
  // The one step that is wanted.
  v1::StepRequest Step() {
    EXPECT_EQ(events.size(), 1u);
    if (events.empty()) return {};
    auto* wanted = std::get_if<StepWanted>(&events[0]);
    EXPECT_NE(wanted, nullptr);
    v1::StepRequest request;
    if (wanted) request = std::move(wanted->request);
    events.clear();
    return request;
  }
  void Answer(v1::StepReply reply) { session->Answer(1, std::move(reply), out, events); }
  // Why the connection is to be closed; "open" if it is not.
  std::string_view Closed() const {
    if (events.empty()) return "open";
    const auto* closed = std::get_if<CloseWanted>(&events.back());
    return closed ? closed->why : "open";
  }

  v1::ListMechanismsReply mechanisms;
  std::unique_ptr<ProtocolSession> session =
      MakeSaslauthdSession({mechanisms, TemporaryFailureWay::kAuto, 1, 1, {}});
  std::string out;
  std::vector<ProtocolEvent> events;
};

v1::StepReply Success() {
  v1::StepReply reply;
  reply.mutable_success()->set_authcid("ok@example.org");
  reply.mutable_success()->set_authzid("ok@example.org");
  return reply;
}

v1::StepReply FailureOf(v1::Failure::Code code) {
  v1::StepReply reply;
  reply.mutable_failure()->set_code(code);
  return reply;
}

TEST(Saslauthd, AsksForOneStepOfPlainWhateverThePieces) {
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, kRequest.size()}) {
    SCOPED_TRACE(piece);
    Dialogue dialogue;
    dialogue.session->Greet(dialogue.out);
    for (size_t at = 0; at < kRequest.size(); at += piece) {
      EXPECT_TRUE(dialogue.events.empty());
      dialogue.Receive(std::string_view(kRequest).substr(at, piece));
    }
    const v1::StepRequest step = dialogue.Step();
    EXPECT_EQ(step.mechanism(), "PLAIN");
    EXPECT_EQ(step.response(), "\0ok@example.org\0secret"s);
    EXPECT_EQ(step.connection().service(), "smtp");
    EXPECT_EQ(step.connection().remote_ip(), "");
    EXPECT_EQ(dialogue.out, "");
    dialogue.Answer(Success());
    EXPECT_EQ(dialogue.out, "\x00\x02OK"s);
    EXPECT_EQ(dialogue.Closed(), "");
  }
}

TEST(Saslauthd, NamesAreAsTheyAreWithoutARealm) {
  Dialogue dialogue;
  dialogue.Receive(Request({"ann@example.org", "x", "", ""}));
  EXPECT_EQ(dialogue.Step().response(), "\0ann@example.org\0x"s);
}

// libsasl2 cuts at the last "@".
TEST(Saslauthd, ARealmComesBehindTheName) {
  Dialogue dialogue;
  dialogue.Receive(Request({"ann@two", "x", "smtp", "example.org"}));
  EXPECT_EQ(dialogue.Step().response(), "\0ann@two@example.org\0x"s);
}

TEST(Saslauthd, TakesTheClientsAddress) {
  for (const auto& [client, address] :
       std::vector<std::pair<std::string, std::string>>{{"192.0.2.7;4711", "192.0.2.7"},
                                                        {"2001:db8::1;4711", "2001:db8::1"},
                                                        {"192.0.2.7", "192.0.2.7"},
                                                        {"", ""},
                                                        {"a host;25", ""},
                                                        {std::string(46, '1'), ""}}) {
    SCOPED_TRACE(client);
    Dialogue dialogue;
    dialogue.Receive(Request({"ann", "x", "imap", "", client}));
    const v1::StepRequest step = dialogue.Step();
    EXPECT_EQ(step.connection().remote_ip(), address);
    EXPECT_TRUE(step.connection().secured()) << "else the password would not be looked at";
  }
}

TEST(Saslauthd, AnAddressThatComesLateIsNotWaitedFor) {
  Dialogue dialogue;
  dialogue.Receive(kRequest);
  EXPECT_EQ(dialogue.Step().connection().remote_ip(), "");
  dialogue.Receive(Counted("192.0.2.7"));
  EXPECT_TRUE(dialogue.events.empty());
  dialogue.Answer(Success());
  EXPECT_EQ(dialogue.out, "\x00\x02OK"s);
}

TEST(Saslauthd, SaysNoToWhatIsRefused) {
  for (const auto code : {v1::Failure::AUTHENTICATION_FAILED, v1::Failure::MALFORMED,
                          v1::Failure::ENCRYPTION_REQUIRED}) {
    Dialogue dialogue;
    dialogue.Receive(kRequest);
    dialogue.Step();
    dialogue.Answer(FailureOf(code));
    EXPECT_EQ(dialogue.out, "\x00\x02NO"s);
    EXPECT_EQ(dialogue.Closed(), "");
  }
}

TEST(Saslauthd, SaysNoToNamesAndPasswordsThatNobodyHas) {
  for (const auto& [user, password, realm] :
       std::vector<std::tuple<std::string, std::string, std::string>>{{"", "x", "example.org"},
                                                                      {"ann", "", ""},
                                                                      {"a\0b"s, "x", ""},
                                                                      {"ann", "x\0y"s, ""},
                                                                      {"ann", "x", "a\0b"s}}) {
    Dialogue dialogue;
    dialogue.Receive(Request({user, password, "smtp", realm}));
    EXPECT_EQ(dialogue.out, "\x00\x02NO"s);
    ASSERT_EQ(dialogue.events.size(), 1u);
    EXPECT_EQ(dialogue.Closed(), "");
  }
}

TEST(Saslauthd, HangsUpWhereNobodyCanTell) {
  v1::StepReply temporary;
  temporary.mutable_temporary();
  v1::StepReply challenge;
  challenge.mutable_challenge();
  for (const v1::StepReply& reply : {temporary, challenge, v1::StepReply()}) {
    Dialogue dialogue;
    dialogue.Receive(kRequest);
    dialogue.Step();
    dialogue.Answer(reply);
    EXPECT_EQ(dialogue.out, "");
    EXPECT_EQ(dialogue.Closed(), "");
  }
}

// It is the administrator's mistake: nobody's password is wrong.
TEST(Saslauthd, HangsUpAndTellsWherePlainIsOff) {
  Dialogue dialogue;
  dialogue.Receive(kRequest);
  dialogue.Step();
  dialogue.Answer(FailureOf(v1::Failure::MECHANISM_UNAVAILABLE));
  EXPECT_EQ(dialogue.out, "");
  ASSERT_EQ(dialogue.events.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<Noticed>(dialogue.events[0]));
  EXPECT_EQ(dialogue.Closed(), "");
}

TEST(Saslauthd, FieldsAreBoundedBeforeTheyAreRead) {
  Dialogue whole;
  whole.Receive(Request({"ann", std::string(8192, 'x'), "smtp", ""}));
  EXPECT_EQ(whole.Step().response().size(), 2 + 3 + 8192u);
  Dialogue long_one;
  long_one.Receive(
      "\x00\x03"
      "ann\x20\x01"s);
  EXPECT_EQ(long_one.Closed(), "a field of more than 8192 bytes");
  long_one.events.clear();
  long_one.Receive(kRequest);
  EXPECT_TRUE(long_one.events.empty()) << "nothing is taken any more";
}

TEST(Saslauthd, AServiceIsAShortWord) {
  for (const std::string& service : {std::string(65, 's'), "a\nb"s, "\xff"s}) {
    Dialogue dialogue;
    dialogue.Receive(Request({"ann", "x", service, ""}));
    EXPECT_EQ(dialogue.Closed(), "a service that is not 64 bytes of printable ASCII at most");
    EXPECT_EQ(dialogue.out, "");
  }
}

}  // namespace
}  // namespace sasld
