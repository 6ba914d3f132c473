#include "transcript.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <ostream>
#include <sstream>

#include "client/adapter/dovecot_logins.h"
#include "client/adapter/dovecot_master_client.h"
#include "client/adapter/mechanism_text.h"
#include "client/adapter/protocols.h"

namespace sasld::testing {
namespace {

std::string QuestionText(const StepWanted& wanted) {
  const v1::AccountQuestion& question = wanted.request.account();
  std::string text = "ask " + std::to_string(wanted.exchange);
  return question.has_name() ? text + " name=" + question.name()
                             : text + " after=" + question.after();
}

std::string StepText(const StepWanted& wanted) {
  const v1::StepRequest& request = wanted.request;
  if (request.has_account()) return QuestionText(wanted);
  const v1::ConnectionFacts& facts = request.connection();
  std::ostringstream text;
  text << "step " << wanted.exchange << ' ' << request.mechanism()
       << " service=" << facts.service();
  if (!facts.remote_ip().empty()) text << " rip=" << facts.remote_ip();
  if (!facts.local_ip().empty()) text << " lip=" << facts.local_ip();
  if (facts.remote_port() != 0) text << " rport=" << facts.remote_port();
  if (facts.local_port() != 0) text << " lport=" << facts.local_port();
  if (facts.secured()) text << " secured";
  if (facts.has_certificate()) text << " certificate=" << facts.certificate().username();
  if (facts.can_bind()) text << " can-bind";
  for (const v1::ChannelBinding& binding : request.channel_bindings()) {
    text << " binding=" << binding.type() << ':' << binding.data();
  }
  if (!request.state().empty()) text << " state=" << request.state();
  if (request.has_response_base64()) {
    text << " base64=" << request.response_base64();
    EXPECT_FALSE(request.has_response());
    EXPECT_FALSE(request.response_base64().empty());
  } else if (request.has_response()) {
    text << " empty";
    EXPECT_EQ(request.response(), "");
  } else {
    text << " none";
  }
  return text.str();
}

std::string EventText(const ProtocolEvent& event) {
  struct {
    std::string operator()(const StepWanted& wanted) { return StepText(wanted); }
    std::string operator()(const ExchangeDropped& dropped) {
      return "dropped " + std::to_string(dropped.exchange);
    }
    std::string operator()(const CloseWanted& close) {
      return "close " + std::string(close.why.empty() ? "-" : close.why);
    }
    std::string operator()(const Noticed& noticed) { return "notice " + std::string(noticed.what); }
    std::string operator()(const LoginWanted& wanted) {
      return "elsewhere " + std::to_string(wanted.exchange) + ' ' + wanted.login;
    }
  } text;
  return std::visit(text, event);
}

v1::Failure::Code CodeNamed(const std::string& name) {
  v1::Failure::Code code = v1::Failure::CODE_UNSPECIFIED;
  EXPECT_TRUE(v1::Failure::Code_Parse(name, &code)) << name;
  return code;
}

// "ann uid=5000 home=/srv/ann", or of who may not log in "-ann"; a value that is not there is
// empty.
void ReadAccount(std::istream& words, v1::AccountAnswer& account) {
  std::string name;
  words >> name;
  account.set_status(v1::AccountAnswer::FOUND);
  account.set_may_log_in(name[0] != '-');
  account.set_name(name[0] == '-' ? name.substr(1) : name);
  for (std::string word; words >> word;) {
    v1::AccountAttribute& attribute = *account.add_attributes();
    size_t equals = std::min(word.find('='), word.size());
    attribute.set_name(word.substr(0, equals));
    attribute.set_value(Unescaped(word.substr(std::min(equals + 1, word.size()))));
  }
}

// The rest of a "reply 1" line.
v1::StepReply ReplyFrom(std::istream& words) {
  auto next = [&words] {
    std::string word;
    words >> word;
    return word == "-" ? std::string() : Unescaped(word);
  };
  v1::StepReply reply;
  std::string kind = next();
  if (kind == "challenge") {
    reply.mutable_challenge()->set_data(next());
    reply.mutable_challenge()->set_state(next());
    reply.mutable_challenge()->set_channel_binding_type(next());
  } else if (kind == "success") {
    reply.mutable_success()->set_authcid(next());
    reply.mutable_success()->set_authzid(next());
    if (std::string data = next(); !data.empty()) reply.mutable_success()->set_data(data);
  } else if (kind == "anonymous") {
    reply.mutable_success()->set_authcid(next());
    reply.mutable_success()->set_authzid(reply.success().authcid());
    reply.mutable_success()->set_anonymous(true);
  } else if (kind == "failure") {
    reply.mutable_failure()->set_code(CodeNamed(next()));
    reply.mutable_failure()->set_authcid(next());
    reply.mutable_failure()->set_text(next());
  } else if (kind == "account") {
    ReadAccount(words, *reply.mutable_account());
  } else if (kind == "unknown") {
    reply.mutable_account()->set_status(v1::AccountAnswer::UNKNOWN);
  } else if (kind == "forbidden") {
    reply.mutable_account()->set_status(v1::AccountAnswer::FORBIDDEN);
  } else if (kind == "names") {
    reply.mutable_account()->set_status(v1::AccountAnswer::FOUND);
    for (std::string name = next(); !name.empty(); name = next()) {
      reply.mutable_account()->add_names(name);
    }
  } else if (kind == "temporary") {
    reply.mutable_temporary()->set_text("for the log");
  } else {
    EXPECT_EQ(kind, "nothing");
  }
  return reply;
}

v1::ListMechanismsReply Mechanisms() {
  v1::ListMechanismsReply mechanisms;
  for (std::string_view text :
       {"PLAIN plaintext", "LOGIN plaintext", "CRAM-MD5 dictionary active",
        "DIGEST-MD5 dictionary active mutual-auth", "SCRAM-SHA-256 mutual-auth",
        "SCRAM-SHA-256-PLUS mutual-auth channel-binding", "APOP private dictionary active",
        "ANONYMOUS anonymous", "FANCY forward-secrecy"}) {
    *mechanisms.add_mechanisms() = ParseMechanism(text).value();
  }
  return mechanisms;
}

class Player {
 public:
  Player(const Transcript& transcript, size_t chunk) : lines_(transcript.lines), chunk_(chunk) {}

  void Play() {
    for (const std::string& line : lines_) {
      ::testing::ScopedTrace trace(__FILE__, __LINE__, line);
      PlayLine(line);
      if (::testing::Test::HasFatalFailure()) return;
    }
    ExpectNothingLeft();
  }

 private:
  void PlayLine(const std::string& line) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == "S:") return ExpectLine(Unescaped(line.substr(3)));
    if (first == "step" || first == "ask" || first == "dropped" || first == "close" ||
        first == "notice" || first == "elsewhere") {
      return ExpectEvent(Unescaped(line));
    }
    ExpectNothingLeft();
    if (first == "on") {
      words >> name_;
      words >> connection().protocol;
    } else if (first == "peer") {
      words >> peer_.pid >> peer_.uid >> first;
      peer_.is_stranger = first == "stranger";
    } else if (first == "hangs-up") {
      connection().session.reset();
    } else if (first == "drained") {
      Session().Drained(events_);
    } else if (first == "temporary") {
      words >> first;
      temporary_failure_ =
          first == "close" ? TemporaryFailureWay::kClose : TemporaryFailureWay::kFail;
    } else if (first == "greeting") {
      Session();
      lines_out_ = std::exchange(connection().greeting, {});
    } else if (first == "client") {
      words >> first;
      Session();
      std::string handshake = std::move(lines_out_);
      Receive("VERSION\t1\t" + first + "\nCPID\t590\n");
      lines_out_ = std::move(handshake);
    } else if (first == "C:") {
      Receive(Unescaped(line.substr(std::min<size_t>(3, line.size()))) + "\n");
    } else if (first == "reply") {
      uint64_t exchange = 0;
      words >> exchange;
      Session().Answer(exchange, ReplyFrom(words), lines_out_, events_);
    } else if (first == "found") {
      uint64_t exchange = 0;
      DovecotMasterAnswer answer;
      words >> exchange >> answer.command >> answer.rest;
      answer.rest = Unescaped(answer.rest);
      Session().LoginAnswered(exchange, answer, lines_out_);
    } else if (first == "gives-up") {
      Session().GiveUp(lines_out_, events_);
      events_.clear();
    } else if (first == "forget") {
      int seconds = 0;
      words >> seconds;
      now_ += absl::Seconds(seconds);
      Session().ForgetSilent(now_);
    } else {
      FAIL() << "unknown line of a transcript: " << line;
    }
  }

  struct OneConnection {
    std::string protocol = "dovecot-auth";
    std::unique_ptr<ProtocolSession> session = nullptr;
    std::string greeting = {};
  };
  OneConnection& connection() { return connections_[name_]; }

  ProtocolSession& Session() {
    OneConnection& now = connection();
    if (!now.session) {
      v1::ListMechanismsReply mechanisms = Mechanisms();
      now.session = FindProtocol(now.protocol)
                        ->make_session({mechanisms,
                                        temporary_failure_,
                                        594,
                                        7,
                                        {0x3f, 0x40, 0xc3, 0xc2, 0x81, 0xe3, 0x87, 0x9f, 0xea, 0xb2,
                                         0x91, 0xed, 0xb9, 0x51, 0x51, 0xeb},
                                        peer_,
                                        &logins_});
      now.session->Greet(now.greeting);
    }
    return *now.session;
  }

  void Receive(std::string_view bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(chunk_, bytes.size()))) {
      Session().Receive(bytes.substr(0, chunk_), lines_out_, events_);
    }
  }

  void ExpectLine(const std::string& expected) {
    size_t end = lines_out_.find('\n');
    ASSERT_NE(end, std::string::npos) << "nothing was written";
    EXPECT_EQ(lines_out_.substr(0, end), expected);
    lines_out_.erase(0, end + 1);
  }

  void ExpectEvent(const std::string& expected) {
    ASSERT_FALSE(events_.empty()) << "nothing happened";
    EXPECT_EQ(EventText(events_.front()), expected);
    events_.erase(events_.begin());
  }

  void ExpectNothingLeft() {
    EXPECT_EQ(lines_out_, "");
    for (const ProtocolEvent& event : events_)
      ADD_FAILURE() << "not expected: " << EventText(event);
    lines_out_.clear();
    events_.clear();
  }

  const std::vector<std::string>& lines_;
  const size_t chunk_;
  TemporaryFailureWay temporary_failure_ = TemporaryFailureWay::kAuto;
  PeerFacts peer_ = {1234, 0, false};
  DovecotLogins logins_;
  std::string name_;  // of the connection that the lines are about
  std::map<std::string, OneConnection> connections_;
  std::string lines_out_;
  std::vector<ProtocolEvent> events_;
  absl::Time now_ = absl::UnixEpoch();
};

void LoadFile(const std::filesystem::path& path, std::vector<Transcript>& transcripts) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line.substr(0, 3) == "== ") {
      transcripts.push_back({path.stem().string() + ": " + line.substr(3), {}});
    } else {
      transcripts.back().lines.push_back(line);
    }
  }
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Transcript& transcript) {
  return out << transcript.name;
}

std::vector<Transcript> LoadTranscripts(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Transcript> transcripts;
  for (const std::filesystem::path& path : paths) LoadFile(path, transcripts);
  return transcripts;
}

std::string Unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{' && text.find('}', i) != text.npos) {  // {A*3}
      size_t star = text.find('*', i);
      size_t end = text.find('}', i);
      std::string unit = Unescaped(text.substr(i + 1, star - i - 1));
      int times = std::stoi(std::string(text.substr(star + 1, end - star - 1)));
      for (int n = 0; n < times; ++n) plain += unit;
      i = end;
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      switch (text[++i]) {
        case 't':
          plain += '\t';
          break;
        case 'r':
          plain += '\r';
          break;
        case 'n':
          plain += '\n';
          break;
        case '0':
          plain += '\0';
          break;
        case 's':
          plain += ' ';
          break;
        case 'x':
          plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
          i += 2;
          break;
        default:
          plain += text[i];
      }
    } else {
      plain += text[i];
    }
  }
  return plain;
}

void Play(const Transcript& transcript, size_t chunk) { Player(transcript, chunk).Play(); }

}  // namespace sasld::testing
