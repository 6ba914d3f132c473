// Where we part from Dovecot, and why:
// - An unknown mechanism is sasld's to refuse: FAIL, not a closed connection. A mail server may
//   hold a list that is older than sasld's configuration.
// - The greeting on sockets for mail servers does not wait for the client's version, as
// Dovecot 2.4's
//   does; Exim would wait for ever. "service=" and "protocol=" are both taken.
// - CONT while the step before is under way ends the exchange at once with one FAIL; Dovecot lets a
//   second FAIL follow.
// - Ids of failed exchanges come free with their FAIL, not before.
// - Login processes may share a process id, as those of two containers do.
#include "client/adapter/dovecot_auth.h"

#include <optional>
#include <utility>

#include "client/adapter/base64.h"
#include "client/adapter/dovecot_auth_line.h"
#include "client/adapter/dovecot_auth_reply.h"
#include "client/adapter/dovecot_auth_session.h"
#include "client/adapter/tab_fields.h"
#include "client/base64.h"

namespace sasld {
namespace {

constexpr size_t kMaxLineBytes = 16384;    // with LF; Dovecot's own limit
constexpr size_t kMaxBindingBytes = 1024;  // sasl.proto, ChannelBinding
constexpr uint32_t kBindingMinor = 3;      // from here clients bring channel binding data
constexpr uint32_t kCancelledMinor = 4;    // from here they wait for an answer to CANCEL

// Postfix before 3.12 cuts an AUTH command at 2048 bytes and passes the stump on.
constexpr size_t kPostfixLineLimit = 2048;
constexpr std::string_view kCutOff =
    "the mail server cut an initial response off at its line length limit; in Postfix, raise "
    "line_length_limit";

// The value of "channel_binding=", decoded; empty if there is none, or none that could be.
std::string BindingData(TabFields fields) {
  constexpr std::string_view kName = "channel_binding=";
  while (std::optional<std::string_view> field = fields.Next()) {
    if (field->substr(0, kName.size()) != kName) continue;
    std::string_view text = field->substr(kName.size());
    if (text.size() > Base64Size(kMaxBindingBytes)) break;
    return Base64Decoded(text).value_or(std::string());
  }
  return {};
}

}  // namespace

DovecotAuthSession::DovecotAuthSession(const SessionFacts& facts, ClientKind kind)
    : kind_(kind),
      temporary_failure_(facts.temporary_failure),
      cookie_(facts.cookie),
      logins_(facts.logins) {
  AppendDovecotHandshake(facts, ChannelBindingOffer::kWithout, handshake_);
  if (kind == ClientKind::kLoginProcess) {
    AppendDovecotHandshake(facts, ChannelBindingOffer::kWith, binding_handshake_);
  }
}

// A mail server gets all at once, since some wait for it before they say a word. Login processes
// never do; what they can is known before they are offered anything.
void DovecotAuthSession::Greet(std::string& out) {
  AppendDovecotVersion(out);
  if (kind_ == ClientKind::kMailServer) out += std::exchange(handshake_, std::string());
}

void DovecotAuthSession::Receive(std::string_view bytes, std::string& out,
                                 std::vector<ProtocolEvent>& events) {
  Output output{out, events};
  if (phase_ == Phase::kClosed) return;
  bool fits = lines_.Feed(bytes, kMaxLineBytes, [&](std::string_view line) {
    TakeLine(line, output);
    return phase_ != Phase::kClosed;
  });
  if (!fits) Close("a line of more than 16384 bytes", output);
}

void DovecotAuthSession::TakeLine(std::string_view line, Output out) {
  if (phase_ == Phase::kVersion) return TakeVersion(line, out);
  if (phase_ == Phase::kCpid) return TakeCpid(line, out);
  TabFields fields(line);
  std::string_view command = *fields.Next();
  std::string_view arguments = fields.Rest().value_or("");
  if (command == "CONT") return TakeContinue(arguments, out);
  if (command == "AUTH") return TakeAuth(arguments, out);
  if (command == "CANCEL") return TakeCancel(arguments, out);
  Close("an unknown command", out);
}

void DovecotAuthSession::TakeVersion(std::string_view line, Output out) {
  std::optional<DovecotVersion> version = ParseDovecotVersion(line);
  if (!version) return Close("the first line is not VERSION with two numbers", out);
  if (version->major != 1) return Close("a major version other than 1", out);
  client_minor_ = version->minor;
  phase_ = Phase::kCpid;
  if (kind_ == ClientKind::kMailServer) return;
  out.lines += client_minor_ >= kBindingMinor ? binding_handshake_ : handshake_;
  handshake_ = binding_handshake_ = {};
}

void DovecotAuthSession::TakeCpid(std::string_view line, Output out) {
  TabFields fields(line);
  bool is_cpid = *fields.Next() == "CPID";
  std::optional<uint32_t> cpid = ParseDovecotId(fields.Rest().value_or(""));
  if (!is_cpid || !cpid) return Close("the second line is not CPID with a process id", out);
  phase_ = Phase::kRequests;
  cpid_ = *cpid;
  if (kind_ == ClientKind::kLoginProcess) logins_->Join(cpid_, cookie_, *this);
}

void DovecotAuthSession::TakeAuth(std::string_view arguments, Output out) {
  auto parsed = ParseDovecotAuthLine(arguments, client_minor_);
  if (auto* why = std::get_if<std::string_view>(&parsed)) return Close(*why, out);
  auto& auth = std::get<DovecotAuthLine>(parsed);
  if (exchanges_.Find(auth.id)) {
    return Close("AUTH with the id of an exchange that is under way", out);
  }
  std::optional<std::string_view> response = std::exchange(auth.response, std::nullopt);
  auth.connection.set_can_bind(auth.tls && client_minor_ >= kBindingMinor);
  Exchange* exchange = exchanges_.Begin(std::move(auth));
  if (!exchange) return Close("more than 1024 exchanges at once", out);

  if (response && response->size() % 4 != 0 && response->size() <= kPostfixLineLimit &&
      response->size() + 64 > kPostfixLineLimit) {
    out.events.push_back(Noticed{kCutOff});
  }
  Step(*exchange, std::string(), response, nullptr, out);
}

void DovecotAuthSession::TakeContinue(std::string_view arguments, Output out) {
  TabFields fields(arguments);
  std::optional<uint32_t> id = ParseDovecotId(*fields.Next());
  if (!id) return Close("CONT without an id in 1..4294967295", out);
  std::optional<std::string_view> response = fields.Rest();
  if (!response) return Close("CONT without data", out);
  if (*response == "=" && client_minor_ == 1) response = "";  // Prosody writes an empty one so
  Exchange* exchange = exchanges_.Find(*id);
  if (!exchange) {
    // Finished, cancelled, forgotten or never begun. No violation: clients come late.
    return AppendDovecotFail({.id = *id, .reason = "Authentication request timed out"}, out.lines);
  }
  Respond(*exchange, *response, out);
}

void DovecotAuthSession::Respond(Exchange& exchange, std::string_view response, Output out) {
  if (auto* turn = std::get_if<ClientsTurn>(&exchange.turn)) {
    ClientsTurn turn_over = std::move(*turn);
    exchange.turn = ServersTurn{false};
    if (turn_over.binding_type.empty()) {
      return Step(exchange, std::move(turn_over.state), response, nullptr, out);
    }
    TabFields fields(response);
    std::string_view message = *fields.Next();
    v1::ChannelBinding binding;
    *binding.mutable_data() = BindingData(fields);
    *binding.mutable_type() = std::move(turn_over.binding_type);
    return Step(exchange, std::move(turn_over.state), message, &binding, out);
  }
  if (auto* success = std::get_if<Acknowledgement>(&exchange.turn)) {
    if (response.empty()) {
      return Grant(exchange,
                   {std::move(success->authcid), std::move(success->authzid), success->anonymous},
                   std::nullopt, out);
    }
    AppendDovecotFail({.id = exchange.auth.id, .user = success->authzid}, out.lines);
    return exchanges_.Erase(exchange);
  }
  AppendDovecotFail({.id = exchange.auth.id, .reason = "Unexpected continuation"}, out.lines);
  Drop(exchange, out);
}

void DovecotAuthSession::TakeCancel(std::string_view arguments, Output out) {
  std::optional<uint32_t> id = ParseDovecotId(arguments);
  if (!id) return Close("CANCEL without an id in 1..4294967295", out);
  if (Exchange* exchange = exchanges_.Find(*id)) Drop(*exchange, out);
  if (client_minor_ >= kCancelledMinor) AppendDovecotCancelled(*id, out.lines);
}

void DovecotAuthSession::Step(Exchange& exchange, std::string state,
                              std::optional<std::string_view> response, v1::ChannelBinding* binding,
                              Output out) {
  // Refused here because it would not pass as text either (Protobuf wants UTF-8). At once, and
  // without closing: it comes from the mail client, who must not be able to hurt others.
  if (response && !LooksLikeBase64(*response)) {
    v1::StepReply reply;
    reply.mutable_failure()->set_code(v1::Failure::INVALID_BASE64);
    return Answer(exchange.number, std::move(reply), out.lines, out.events);
  }
  StepWanted wanted{exchange.number, {}};
  wanted.request.set_mechanism(exchange.auth.mechanism);
  *wanted.request.mutable_connection() = exchange.auth.connection;
  if (!state.empty()) wanted.request.set_state(std::move(state));
  if (binding) *wanted.request.add_channel_bindings() = std::move(*binding);
  if (response && response->empty()) {
    wanted.request.set_response("");
  } else if (response) {
    wanted.request.set_response_base64(response->data(), response->size());
  }
  out.events.push_back(std::move(wanted));
}

void DovecotAuthSession::Drop(Exchange& exchange, Output out) {
  if (!exchange.waits_for_client()) out.events.push_back(ExchangeDropped{exchange.number});
  exchanges_.Erase(exchange);
}

void DovecotAuthSession::Close(std::string_view why, Output out) {
  phase_ = Phase::kClosed;
  exchanges_.Clear();
  LeaveLogins();
  lines_.Clear();
  out.events.emplace_back(CloseWanted{why});
}

void DovecotAuthSession::LeaveLogins() {
  if (kind_ == ClientKind::kLoginProcess && cpid_ != 0) {
    logins_->Leave(std::exchange(cpid_, 0), *this);
  }
}

std::unique_ptr<ProtocolSession> MakeDovecotAuthSession(const SessionFacts& facts) {
  return std::make_unique<DovecotAuthSession>(facts, ClientKind::kMailServer);
}

std::unique_ptr<ProtocolSession> MakeDovecotLoginSession(const SessionFacts& facts) {
  return std::make_unique<DovecotAuthSession>(facts, ClientKind::kLoginProcess);
}

}  // namespace sasld
