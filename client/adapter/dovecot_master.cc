// Where we part from Dovecot, and why:
// - Whatever a mask of LIST means is applied here: Dovecot 2.3 leaves it to doveadm, 2.4 does not.
// - Names are found as sasld finds them: by alias, in any case, with the default realm.
// - No auth_token: nothing but IMAP's URLAUTH and hibernation wants one.
// - A reply that Dovecot would refuse for its length is a FAIL with a reason.
#include "client/adapter/dovecot_master.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "client/adapter/dovecot_auth_line.h"
#include "client/adapter/dovecot_auth_reply.h"
#include "client/adapter/dovecot_logins.h"
#include "client/adapter/dovecot_master_client.h"
#include "client/adapter/dovecot_master_line.h"
#include "client/adapter/line_buffer.h"
#include "client/adapter/tab_fields.h"

namespace sasld {
namespace {

constexpr size_t kMaxLineBytes = 8192;   // Dovecot itself refuses what has more than 1024
constexpr size_t kMaxReplyBytes = 8192;  // its clients' buffer
constexpr size_t kMaxQuestions = 1024;
constexpr std::string_view kForbidden =
    "sasld refuses look-ups of accounts; set account_lookups = true in [policy] of sasld.toml, and "
    "reload it";

constexpr std::string_view kAnotherProcess =
    "a login was asked for by another process than it was handed to; if Dovecot runs in a "
    "container, "
    "its process ids are others there: run the adapter in the same one, as Dovecot's auth service";

enum class SocketKind { kMaster, kUserdb };
enum class QuestionKind { kUser, kPass, kList, kRequest };

struct Question {
  uint64_t number;  // grows by one with each of this connection
  uint32_t id;      // the client's
  QuestionKind kind;
  std::string mask = {};                   // LIST's
  std::string after = {};                  // the last name of LIST's page
  std::optional<DovecotLogin> login = {};  // REQUEST's
  bool page_is_due = false;                // LIST's next one, once there is room
};

class DovecotMasterSession final : public ProtocolSession {
 public:
  DovecotMasterSession(const SessionFacts& facts, SocketKind kind)
      : kind_(kind), peer_(facts.peer), logins_(facts.logins), server_pid_(facts.server_pid) {}

  void Greet(std::string& out) override;
  void Receive(std::string_view bytes, std::string& out,
               std::vector<ProtocolEvent>& events) override;
  void Answer(uint64_t number, v1::StepReply&& reply, std::string& out,
              std::vector<ProtocolEvent>& events) override;
  void LoginAnswered(uint64_t number, const DovecotMasterAnswer& answer, std::string& out) override;
  void Drained(std::vector<ProtocolEvent>& events) override;
  void GiveUp(std::string& out, std::vector<ProtocolEvent>& events) override;
  void ForgetSilent(absl::Time) override {}
  bool InExchange() const override { return !questions_.empty() || !lines_.empty(); }

 private:
  enum class Phase { kVersion, kRequests, kClosed };
  struct Output {
    std::string& lines;
    std::vector<ProtocolEvent>& events;
  };

  void TakeLine(std::string_view line, Output out);
  void TakeLookup(std::string_view arguments, QuestionKind kind, Output out);
  void TakeList(std::string_view arguments, Output out);
  void TakeRequest(std::string_view arguments, Output out);
  void AskFellow(const DovecotRequestLine& line, Output out);
  void TakeCacheFlush(std::string_view arguments, Output out);
  void Ask(Question question, v1::AccountQuestion about, Output out);
  static void AskForPage(const Question& question, std::vector<ProtocolEvent>& events);
  void AnswerLookup(const Question& question, const v1::AccountAnswer& account, Output out);
  // Whether the list goes on.
  bool AnswerList(Question& question, const v1::AccountAnswer& page, Output out);
  bool MayLearn(const v1::AccountAnswer& account) const;
  void Fail(const Question& question, Output out);
  std::vector<Question>::iterator Find(uint64_t number);
  void Erase(std::vector<Question>::iterator question);
  void Close(std::string_view why, Output out);

  const SocketKind kind_;
  const PeerFacts peer_;
  DovecotLogins* const logins_;
  const pid_t server_pid_;
  Phase phase_ = Phase::kVersion;
  LineBuffer lines_;
  uint64_t asked_ = 0;
  std::vector<Question> questions_;  // in no order
};

void AppendLine(std::string_view command, uint32_t id, std::string_view rest, std::string& out) {
  AppendDovecotCommand(command, id, out);
  (out += rest) += '\n';
}

void DovecotMasterSession::Greet(std::string& out) {
  // Without the first line Dovecot 2.3's clients panic at the first reply.
  AppendDovecotVersion(out);
  out += "SPID\t";
  AppendDovecotNumber(static_cast<uint64_t>(server_pid_), out);
  out += '\n';
}

void DovecotMasterSession::Receive(std::string_view bytes, std::string& out,
                                   std::vector<ProtocolEvent>& events) {
  Output output{out, events};
  if (phase_ == Phase::kClosed) return;
  bool fits = lines_.Feed(bytes, kMaxLineBytes, [&](std::string_view line) {
    TakeLine(line, output);
    return phase_ != Phase::kClosed;
  });
  if (!fits) Close("a line of more than 8192 bytes", output);
}

void DovecotMasterSession::TakeLine(std::string_view line, Output out) {
  if (phase_ == Phase::kVersion) {
    std::optional<DovecotVersion> version = ParseDovecotVersion(line);
    if (!version) return Close("the first line is not VERSION with two numbers", out);
    if (version->major != 1) return Close("a major version other than 1", out);
    phase_ = Phase::kRequests;
    return;
  }
  TabFields fields(line);
  std::string_view command = *fields.Next();
  std::string_view arguments = fields.Rest().value_or("");
  if (questions_.size() >= kMaxQuestions) return Close("more than 1024 requests at once", out);
  if (command == "USER") return TakeLookup(arguments, QuestionKind::kUser, out);
  if (command == "PASS") return TakeLookup(arguments, QuestionKind::kPass, out);
  if (command == "LIST") return TakeList(arguments, out);
  if (kind_ == SocketKind::kMaster && command == "REQUEST") return TakeRequest(arguments, out);
  if (kind_ == SocketKind::kMaster && command == "CACHE-FLUSH") {
    return TakeCacheFlush(arguments, out);
  }
  Close(kind_ == SocketKind::kMaster ? "an unknown command"
                                     : "a command that a userdb socket does not have",
        out);
}

void DovecotMasterSession::TakeLookup(std::string_view arguments, QuestionKind kind, Output out) {
  auto parsed = ParseDovecotUserLine(arguments);
  if (auto* why = std::get_if<std::string_view>(&parsed)) return Close(*why, out);
  auto& line = std::get<DovecotUserLine>(parsed);
  if (kind == QuestionKind::kPass && peer_.is_stranger) {
    return AppendLine("FAIL", line.id, {}, out.lines);
  }
  v1::AccountQuestion about;
  about.set_name(std::move(line.user));
  Ask({++asked_, line.id, kind}, std::move(about), out);
}

void DovecotMasterSession::TakeList(std::string_view arguments, Output out) {
  auto parsed = ParseDovecotListLine(arguments);
  if (auto* why = std::get_if<std::string_view>(&parsed)) return Close(*why, out);
  auto& line = std::get<DovecotListLine>(parsed);
  if (peer_.is_stranger) return AppendLine("DONE", line.id, "\tfail", out.lines);
  v1::AccountQuestion about;
  about.set_after("");
  Ask({++asked_, line.id, QuestionKind::kList, std::move(line.mask)}, std::move(about), out);
}

void DovecotMasterSession::TakeRequest(std::string_view arguments, Output out) {
  auto parsed = ParseDovecotRequestLine(arguments);
  if (auto* why = std::get_if<std::string_view>(&parsed)) return Close(*why, out);
  auto& line = std::get<DovecotRequestLine>(parsed);
  std::optional<DovecotLogin> login = logins_->Claim(line.cpid, line.login_id, line.cookie);
  // The login was handed to one process, and is gone once another asks for it.
  bool is_whom =
      !line.session_pid || peer_.pid == 0 || *line.session_pid == static_cast<uint32_t>(peer_.pid);
  if (login && !is_whom) out.events.push_back(Noticed{kAnotherProcess});
  // Another adapter would not know which account a stranger may learn of.
  if (!login && is_whom && !line.relayed && !peer_.is_stranger) return AskFellow(line, out);
  if (!login || !is_whom) return AppendLine("FAIL", line.id, {}, out.lines);
  v1::AccountQuestion about;
  about.set_name(login->authzid);
  Ask({++asked_, line.id, QuestionKind::kRequest, {}, {}, std::move(login)}, std::move(about), out);
}

void DovecotMasterSession::AskFellow(const DovecotRequestLine& line, Output out) {
  LoginWanted wanted{++asked_, {}};
  AppendDovecotLogin(line, wanted.login);
  questions_.push_back({wanted.exchange, line.id, QuestionKind::kRequest});
  out.events.emplace_back(std::move(wanted));
}

// Nothing is kept here, so nothing has to go.
void DovecotMasterSession::TakeCacheFlush(std::string_view arguments, Output out) {
  std::optional<uint32_t> id = ParseDovecotNumber(*TabFields(arguments).Next());
  if (!id) return Close("a request without an id", out);
  AppendLine("OK", *id, "\t0", out.lines);
}

void DovecotMasterSession::Ask(Question question, v1::AccountQuestion about, Output out) {
  StepWanted wanted{question.number, {}};
  *wanted.request.mutable_account() = std::move(about);
  questions_.push_back(std::move(question));
  out.events.push_back(std::move(wanted));
}

void DovecotMasterSession::AskForPage(const Question& question,
                                      std::vector<ProtocolEvent>& events) {
  StepWanted wanted{question.number, {}};
  wanted.request.mutable_account()->set_after(question.after);
  events.push_back(std::move(wanted));
}

void DovecotMasterSession::Answer(uint64_t number, v1::StepReply&& reply, std::string& lines,
                                  std::vector<ProtocolEvent>& events) {
  Output out{lines, events};
  auto found = Find(number);
  if (phase_ == Phase::kClosed || found == questions_.end()) return;
  const v1::AccountAnswer& account = reply.account();
  if (account.status() == v1::AccountAnswer::FORBIDDEN) events.push_back(Noticed{kForbidden});
  bool decided = account.status() == v1::AccountAnswer::FOUND ||
                 account.status() == v1::AccountAnswer::UNKNOWN;
  if (!decided) {
    Fail(*found, out);
  } else if (found->kind != QuestionKind::kList) {
    AnswerLookup(*found, account, out);
  } else if (AnswerList(*found, account, out)) {
    return;
  }
  Erase(found);
}

void DovecotMasterSession::LoginAnswered(uint64_t number, const DovecotMasterAnswer& answer,
                                         std::string& out) {
  auto found = Find(number);
  if (phase_ == Phase::kClosed || found == questions_.end()) return;
  std::string line;
  AppendLine(answer.command, found->id, answer.rest, line);
  if (line.size() < kMaxReplyBytes) {
    out += line;
  } else {
    AppendLine("FAIL", found->id, {}, out);
  }
  Erase(found);
}

void DovecotMasterSession::AnswerLookup(const Question& question, const v1::AccountAnswer& account,
                                        Output out) {
  bool is_pass = question.kind == QuestionKind::kPass;
  if (account.status() == v1::AccountAnswer::UNKNOWN || (is_pass && !account.may_log_in())) {
    return AppendLine("NOTFOUND", question.id, {}, out.lines);
  }
  if (!IsDovecotName(account.name()) || !MayLearn(account)) return Fail(question, out);
  std::string line;
  AppendDovecotCommand(is_pass ? "PASS" : "USER", question.id, line);
  if (is_pass) {
    AppendDovecotField("user", account.name(), line);
  } else {
    (line += '\t') += account.name();
    AppendDovecotAttributes(account, line);
  }
  if (const auto& login = question.login) {
    if (login->authcid != login->authzid) AppendDovecotField("master_user", login->authcid, line);
    AppendDovecotField("auth_mech", login->mechanism, line);
    if (login->anonymous) line += "\tanonymous";
    if (login->authcid != login->authzid) AppendDovecotField("auth_user", login->authcid, line);
  }
  line += '\n';
  if (line.size() >= kMaxReplyBytes) {
    return AppendLine("FAIL", question.id, "\treason=the account has too many attributes",
                      out.lines);
  }
  out.lines += line;
}

bool DovecotMasterSession::AnswerList(Question& question, const v1::AccountAnswer& page,
                                      Output out) {
  if (page.names().empty()) {
    AppendLine("DONE", question.id, "\t", out.lines);
    return false;
  }
  question.after = *page.names().rbegin();
  size_t before = out.lines.size();
  for (const std::string& name : page.names()) {
    if (!question.mask.empty() && !MatchesDovecotMask(name, question.mask)) continue;
    AppendDovecotCommand("LIST", question.id, out.lines);
    out.lines += '\t';
    AppendTabEscaped(name, out.lines);
    out.lines += '\n';
  }
  if (out.lines.size() == before) {
    AskForPage(question, out.events);
  } else {
    question.page_is_due = true;
  }
  return true;
}

void DovecotMasterSession::Drained(std::vector<ProtocolEvent>& events) {
  for (Question& question : questions_) {
    if (std::exchange(question.page_is_due, false)) AskForPage(question, events);
  }
}

void DovecotMasterSession::GiveUp(std::string& out, std::vector<ProtocolEvent>& events) {
  for (const Question& question : std::exchange(questions_, {})) Fail(question, {out, events});
}

bool DovecotMasterSession::MayLearn(const v1::AccountAnswer& account) const {
  if (!peer_.is_stranger) return true;
  for (const v1::AccountAttribute& attribute : account.attributes()) {
    if (attribute.name() == "uid") return ParseDovecotNumber(attribute.value()) == peer_.uid;
  }
  return false;
}

// Never NOTFOUND: mail to the user would be refused for good.
void DovecotMasterSession::Fail(const Question& question, Output out) {
  if (question.kind == QuestionKind::kList) {
    AppendLine("DONE", question.id, "\tfail", out.lines);
  } else {
    AppendLine("FAIL", question.id, {}, out.lines);
  }
}

std::vector<Question>::iterator DovecotMasterSession::Find(uint64_t number) {
  return std::find_if(questions_.begin(), questions_.end(),
                      [number](const Question& one) { return one.number == number; });
}

void DovecotMasterSession::Erase(std::vector<Question>::iterator question) {
  std::swap(*question, questions_.back());
  questions_.pop_back();
}

void DovecotMasterSession::Close(std::string_view why, Output out) {
  phase_ = Phase::kClosed;
  questions_.clear();
  lines_.Clear();
  out.events.emplace_back(CloseWanted{why});
}

}  // namespace

std::unique_ptr<ProtocolSession> MakeDovecotMasterSession(const SessionFacts& facts) {
  return std::make_unique<DovecotMasterSession>(facts, SocketKind::kMaster);
}

std::unique_ptr<ProtocolSession> MakeDovecotUserdbSession(const SessionFacts& facts) {
  return std::make_unique<DovecotMasterSession>(facts, SocketKind::kUserdb);
}

}  // namespace sasld
