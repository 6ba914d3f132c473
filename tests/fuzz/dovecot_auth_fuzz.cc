// What a mail server writes, in any pieces, with answers between. Input: first the client's bytes,
// then, after a byte of 0xff, one byte for each answer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "client/adapter/dovecot_auth.h"
#include "client/adapter/mechanism_text.h"

namespace sasld {
namespace {

void Require(bool property) {
  if (!property) std::abort();
}

v1::StepReply AnswerFor(uint8_t choice) {
  v1::StepReply reply;
  switch (choice % 8) {
    case 0:
      reply.mutable_challenge()->set_state("state");
      break;
    case 1:
      reply.mutable_challenge()->set_data(std::string(choice * 20, '\x01'));
      break;
    case 2:
      reply.mutable_success()->set_authcid("user");
      reply.mutable_success()->set_authzid("user");
      break;
    case 3:
      reply.mutable_success()->set_authcid("master");
      reply.mutable_success()->set_authzid(std::string(1, static_cast<char>(choice)));
      reply.mutable_success()->set_data("v=x");
      break;
    case 4:
      reply.mutable_failure()->set_code(v1::Failure::AUTHENTICATION_FAILED);
      break;
    case 5:
      reply.mutable_failure()->set_code(v1::Failure::MALFORMED);
      reply.mutable_failure()->set_authcid(std::string(1, static_cast<char>(choice)));
      reply.mutable_failure()->set_text("a\tb");
      break;
    case 6:
      reply.mutable_temporary();
      break;
    default:
      break;  // no outcome
  }
  return reply;
}

// The lines for one client's bytes. Answers are given once all bytes are in, so that they do not
// depend on the pieces; what waits for the client gets an empty response.
class Run {
 public:
  Run(std::string_view bytes, std::string_view answers, size_t chunk) : answers_(answers) {
    v1::ListMechanismsReply mechanisms;
    *mechanisms.add_mechanisms() = ParseMechanism("PLAIN plaintext").value();
    session_ = MakeDovecotAuthSession({mechanisms, TemporaryFailureWay::kAuto, 1, 1, {}});
    std::string greeting;
    session_->Greet(greeting);
    for (; !bytes.empty(); bytes.remove_prefix(std::min(chunk, bytes.size()))) {
      session_->Receive(bytes.substr(0, chunk), lines_, events_);
    }
    for (int rounds = 0; rounds < 64 && TakeEvents(); ++rounds) {
    }
    Require(lines_.empty() || lines_.back() == '\n');
  }
  const std::string& lines() const { return lines_; }
  const std::string& log() const { return log_; }

 private:
  bool TakeEvents() {
    std::vector<ProtocolEvent> events = std::exchange(events_, {});
    bool any = false;
    for (ProtocolEvent& event : events) {
      Require(!closed_ || std::holds_alternative<CloseWanted>(event) == false);
      if (auto* wanted = std::get_if<StepWanted>(&event)) {
        // Protobuf drops a whole batch for one string that is not UTF-8.
        std::string wire = wanted->request.SerializeAsString();
        Require(v1::StepRequest().ParseFromString(wire));
        log_ += std::to_string(wanted->exchange) + wire;
        uint8_t choice = answers_.empty() ? 4 : static_cast<uint8_t>(answers_[0]);
        if (!answers_.empty()) answers_.remove_prefix(1);
        waiting_.push_back({wanted->exchange, choice});
        any = true;
      } else if (auto* dropped = std::get_if<ExchangeDropped>(&event)) {
        log_ += "dropped " + std::to_string(dropped->exchange);
      } else if (auto* close = std::get_if<CloseWanted>(&event)) {
        log_ += close->why;
        closed_ = true;
      }
    }
    for (; !waiting_.empty(); waiting_.pop_front()) {
      session_->Answer(waiting_.front().exchange, AnswerFor(waiting_.front().choice), lines_,
                       events_);
    }
    return any || !events_.empty();
  }

  struct Waiting {
    uint64_t exchange;
    uint8_t choice;
  };
  std::string_view answers_;
  std::unique_ptr<ProtocolSession> session_;
  std::string lines_;
  std::string log_;
  std::vector<ProtocolEvent> events_;
  std::deque<Waiting> waiting_;
  bool closed_ = false;
};

// The ids that the client used in its lines.
std::set<std::string> IdsIn(std::string_view bytes) {
  std::set<std::string> ids;
  while (!bytes.empty()) {
    std::string_view line = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    size_t tab = line.find('\t');
    if (tab == line.npos) continue;
    std::string_view id = line.substr(tab + 1);
    id = id.substr(0, id.find('\t'));
    while (id.size() > 1 && id[0] == '0') id.remove_prefix(1);
    ids.emplace(id);
  }
  return ids;
}

// One of OK, FAIL, CONT, CANCELLED, with an id of the client's, of printable ASCII or UTF-8, short
// enough for Exim.
void RequireGoodLines(std::string_view lines, const std::set<std::string>& ids) {
  while (!lines.empty()) {
    std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() + 1);
    Require(line.size() < 8000);
    for (unsigned char c : line) Require(c == '\t' || (c >= ' ' && c != 0x7f));
    size_t tab = line.find('\t');
    Require(tab != line.npos);
    std::string_view command = line.substr(0, tab);
    Require(command == "OK" || command == "FAIL" || command == "CONT" || command == "CANCELLED");
    std::string_view id = line.substr(tab + 1);
    Require(ids.count(std::string(id.substr(0, id.find('\t')))) == 1);
    if (command == "OK") Require(line.find("\tuser=") != line.npos);
    if (command == "CONT") Require(id.find('\t') != id.npos);
  }
}

}  // namespace
}  // namespace sasld

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string_view bytes = input.substr(0, input.find('\xff'));
  std::string_view answers = input.substr(std::min(bytes.size() + 1, input.size()));
  sasld::Run whole(bytes, answers, std::max<size_t>(bytes.size(), 1));
  sasld::RequireGoodLines(whole.lines(), sasld::IdsIn(bytes));
  for (size_t chunk : {size_t{1}, size_t{7}}) {
    sasld::Run pieces(bytes, answers, chunk);
    sasld::Require(pieces.lines() == whole.lines() && pieces.log() == whole.log());
  }
  return 0;
}
