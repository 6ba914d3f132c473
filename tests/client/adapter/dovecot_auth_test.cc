#include "client/adapter/dovecot_auth.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "client/adapter/mechanism_text.h"
#include "transcript.h"

namespace sasld {
namespace {

using testing::LoadTranscripts;
using testing::Play;
using testing::Transcript;

class DovecotAuthTranscript : public ::testing::TestWithParam<Transcript> {};

TEST_P(DovecotAuthTranscript, IsSpokenAsWritten) { Play(GetParam(), 1 << 20); }

TEST_P(DovecotAuthTranscript, IsSpokenAsWrittenWhateverThePieces) {
  for (size_t chunk : {1, 2, 3, 7, 64}) Play(GetParam(), chunk);
}

std::string TestName(const ::testing::TestParamInfo<Transcript>& info) {
  std::string name;
  for (char c : info.param.name) name += isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name + "_" + std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(All, DovecotAuthTranscript,
                         ::testing::ValuesIn(LoadTranscripts(TRANSCRIPTS)), TestName);

// A session with its output and events, past the handshake.
struct Dialogue {
  Dialogue() {
    v1::ListMechanismsReply mechanisms;
    *mechanisms.add_mechanisms() = ParseMechanism("PLAIN plaintext").value();
    session = MakeDovecotAuthSession({mechanisms, TemporaryFailureWay::kAuto, 1, 1, {}});
    std::string greeting;
    session->Greet(greeting);
    Receive("VERSION\t1\t2\nCPID\t1\n");
  }
  void Receive(std::string_view bytes) { session->Receive(bytes, out, events); }
  // The events since the last call.
  std::vector<ProtocolEvent> Events() { return std::exchange(events, {}); }
  void AnswerWithChallenge(uint64_t exchange) {
    v1::StepReply reply;
    reply.mutable_challenge()->set_state("s");
    session->Answer(exchange, std::move(reply), out, events);
  }

  std::unique_ptr<ProtocolSession> session;
  std::string out;
  std::vector<ProtocolEvent> events;
};

std::string LineOfSize(size_t bytes) {
  std::string line = "AUTH\t1\tPLAIN\tservice=smtp\tfiller=";
  line.resize(bytes - 1, 'x');
  return line + "\n";
}

TEST(DovecotAuth, TakesALineOf16384Bytes) {
  Dialogue dialogue;
  dialogue.Receive(LineOfSize(16384));
  ASSERT_EQ(dialogue.events.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<StepWanted>(dialogue.events[0]));
}

TEST(DovecotAuth, RefusesALineOf16385Bytes) {
  Dialogue dialogue;
  dialogue.Receive(LineOfSize(16385));
  ASSERT_EQ(dialogue.events.size(), 1u);
  EXPECT_EQ(std::get<CloseWanted>(dialogue.events[0]).why, "a line of more than 16384 bytes");
  EXPECT_EQ(dialogue.out, "");
}

TEST(DovecotAuth, RefusesAnEndlessLineBeforeItEnds) {
  Dialogue dialogue;
  dialogue.Receive(std::string(16383, 'x'));
  EXPECT_TRUE(dialogue.events.empty());
  dialogue.Receive("x");
  ASSERT_EQ(dialogue.events.size(), 1u);
  EXPECT_EQ(std::get<CloseWanted>(dialogue.events[0]).why, "a line of more than 16384 bytes");
}

TEST(DovecotAuth, HangsUpAtMoreThan1024StepsAtOnce) {
  Dialogue dialogue;
  for (int id = 1; id <= 1024; ++id) {
    dialogue.Receive("AUTH\t" + std::to_string(id) + "\tPLAIN\tservice=smtp\n");
  }
  EXPECT_EQ(dialogue.Events().size(), 1024u);
  dialogue.Receive("AUTH\t2000\tPLAIN\tservice=smtp\n");
  ASSERT_EQ(dialogue.events.size(), 1u);
  EXPECT_EQ(std::get<CloseWanted>(dialogue.events[0]).why, "more than 1024 exchanges at once");
}

TEST(DovecotAuth, ForgetsTheOldestAbandonedExchangeToMakeRoom) {
  Dialogue dialogue;
  for (uint64_t id = 1; id <= 1024; ++id) {
    dialogue.Receive("AUTH\t" + std::to_string(id) + "\tPLAIN\tservice=smtp\n");
    dialogue.AnswerWithChallenge(id);
  }
  dialogue.Events();
  dialogue.out.clear();
  dialogue.Receive("AUTH\t2000\tPLAIN\tservice=smtp\n");
  ASSERT_EQ(dialogue.events.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<StepWanted>(dialogue.events[0]));
  dialogue.Receive("CONT\t1\t\n");
  EXPECT_EQ(dialogue.out, "FAIL\t1\treason=Authentication request timed out\n");
}

TEST(DovecotAuth, WritesNoLineThatEximWouldDieOf) {
  Dialogue dialogue;
  dialogue.Receive("AUTH\t4294967295\tPLAIN\tservice=smtp\tfinal-resp-ok\n");
  v1::StepReply reply;
  reply.mutable_success()->set_authcid(std::string(512, 'c'));
  reply.mutable_success()->set_authzid(std::string(512, 'z'));
  reply.mutable_success()->set_data(std::string(4800, 'd'));
  dialogue.session->Answer(1, std::move(reply), dialogue.out, dialogue.events);
  EXPECT_EQ(dialogue.out.substr(0, 3), "OK\t");
  EXPECT_LT(dialogue.out.size(), 8000u);
}

}  // namespace
}  // namespace sasld
