// What Dovecot's mail processes write, in any pieces, with answers between. Input: the client's
// bytes, then, after a byte of 0xff, one byte for each answer. There is one login to be claimed, of
// CPID 590, AUTH 1 and the cookie 0f0f….
#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/adapter/dovecot_auth.h"
#include "client/adapter/dovecot_logins.h"
#include "client/adapter/dovecot_master.h"
#include "client/adapter/dovecot_master_client.h"
#include "tests/fuzz/support.h"

namespace sasld {
namespace {

using fuzz::Require;

v1::StepReply AnswerFor(uint8_t choice, bool is_list) {
  v1::StepReply reply;
  v1::AccountAnswer& account = *reply.mutable_account();
  switch (choice % 6) {
    case 0:
      account.set_status(v1::AccountAnswer::UNKNOWN);
      break;
    case 1:
      account.set_status(v1::AccountAnswer::FORBIDDEN);
      break;
    case 2:
      reply.mutable_temporary();
      break;
    case 3:
      reply.mutable_challenge();  // was not asked for
      break;
    default:
      account.set_status(v1::AccountAnswer::FOUND);
      account.set_name(std::string(1, static_cast<char>(choice)) + "\t\n");
      if (choice % 2 == 0) account.set_name("ann@example.org");
      account.set_may_log_in(choice % 3 == 0);
      for (int i = 0; i < choice % 5; ++i) {
        v1::AccountAttribute& attribute = *account.add_attributes();
        attribute.set_name("uid");
        attribute.set_value(std::string(static_cast<size_t>(choice) * 40, '\n'));
      }
      if (is_list && choice % 4 != 0) account.add_names("bob");
  }
  return reply;
}

struct Heard {
  std::string out;
  bool closed = false;
  friend bool operator==(const Heard&, const Heard&) = default;
};

class Run {
 public:
  explicit Run(std::string_view answers) : answers_(answers) {
    DovecotCookie cookie;
    cookie.fill(0x0f);
    login_ = MakeDovecotLoginSession(
        {mechanisms_, TemporaryFailureWay::kAuto, 1, 1, cookie, {7, 0, false}, &logins_});
    std::string ignored;
    std::vector<ProtocolEvent> events;
    login_->Greet(ignored);
    login_->Receive("VERSION\t1\t2\nCPID\t590\nAUTH\t1\tPLAIN\tservice=imap\n", ignored, events);
    v1::StepReply success;
    success.mutable_success()->set_authcid("ann");
    success.mutable_success()->set_authzid("ann");
    login_->Answer(1, std::move(success), ignored, events);
  }

  Heard Hear(std::string_view bytes, size_t piece) {
    bool is_userdb = !bytes.empty() && bytes.front() == 'u';
    SessionFacts facts{mechanisms_, TemporaryFailureWay::kAuto, 1,       1,
                       {},          {7, 5000, is_userdb},       &logins_};
    session_ = is_userdb ? MakeDovecotUserdbSession(facts) : MakeDovecotMasterSession(facts);
    session_->Greet(heard_.out);
    for (bytes.remove_prefix(std::min<size_t>(1, bytes.size())); !bytes.empty();
         bytes.remove_prefix(std::min(piece, bytes.size()))) {
      session_->Receive(bytes.substr(0, piece), heard_.out, events_);
      Take();
    }
    // A list may go on for ever, if the answers do.
    for (size_t given = 0; !asked_.empty() && given < 64; ++given) Answer();
    for (uint64_t number : wanted_) Find(number);
    return std::move(heard_);
  }

 private:
  void Take() {
    for (ProtocolEvent& event : std::exchange(events_, {})) {
      Require(!heard_.closed, "nothing comes after the end");
      if (auto* wanted = std::get_if<StepWanted>(&event)) {
        Require(wanted->request.has_account(), "only questions are asked");
        asked_.emplace_back(wanted->exchange, wanted->request.account().has_after());
      }
      if (auto* wanted = std::get_if<LoginWanted>(&event)) wanted_.push_back(wanted->exchange);
      heard_.closed = heard_.closed || std::holds_alternative<CloseWanted>(event);
    }
  }

  void Answer() {
    auto [number, is_list] = asked_.front();
    asked_.pop_front();
    uint8_t choice = 2;
    if (!answers_.empty()) {
      choice = static_cast<uint8_t>(answers_.front());
      answers_.remove_prefix(1);
    }
    size_t before = heard_.out.size();
    v1::StepReply reply = AnswerFor(choice, is_list);
    bool unknown = reply.account().status() == v1::AccountAnswer::UNKNOWN;
    session_->Answer(number, std::move(reply), heard_.out, events_);
    std::string_view said = std::string_view(heard_.out).substr(before);
    if (said.substr(0, 9) == "NOTFOUND\t") {
      Require(unknown || choice % 3 != 0, "trouble is never \"no such user\"");
    }
    Require(said.empty() || said.back() == '\n', "whole lines");
    if (!is_list) {
      Require(std::count(said.begin(), said.end(), '\n') <= 1, "one answer, one line");
      Require(said.size() <= 8192, "no line that Dovecot would refuse");
    }
    session_->Drained(events_);
    Take();
  }

  void Find(uint64_t number) {
    if (heard_.closed) return;
    const std::string rest(answers_.size() * 64, 'x');
    size_t before = heard_.out.size();
    session_->LoginAnswered(number, {"USER", "\t" + rest}, heard_.out);
    std::string_view said = std::string_view(heard_.out).substr(before);
    Require(std::count(said.begin(), said.end(), '\n') == 1, "one answer, one line");
    Require(said.size() <= 8192, "no line that Dovecot would refuse");
  }

  v1::ListMechanismsReply mechanisms_;
  DovecotLogins logins_;
  std::unique_ptr<ProtocolSession> login_;
  std::unique_ptr<ProtocolSession> session_;
  std::string_view answers_;
  std::deque<std::pair<uint64_t, bool>> asked_;
  std::vector<uint64_t> wanted_;  // of another adapter
  std::vector<ProtocolEvent> events_;
  Heard heard_;
};

}  // namespace
}  // namespace sasld

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  size_t end = std::min(bytes.find('\xff'), bytes.size());
  std::string_view answers = bytes.substr(std::min(end + 1, bytes.size()));
  bytes = bytes.substr(0, end);
  const sasld::Heard whole = sasld::Run(answers).Hear(bytes, bytes.size() + 1);
  const sasld::Heard pieces = sasld::Run(answers).Hear(bytes, 1);
  sasld::fuzz::Require(whole == pieces, "pieces matter");
  return 0;
}
