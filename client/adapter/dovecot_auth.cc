// Where we part from Dovecot, and why:
// - An unknown mechanism is sasld's to refuse: FAIL, not a closed connection. A mail server may
//   hold a list that is older than sasld's configuration.
// - "protocol=" is taken beside "service=" although we say minor 2 (Dovecot 2.4 writes it).
// - CONT while the step before is under way ends the exchange at once with one FAIL; Dovecot lets a
//   second FAIL follow.
// - Ids of failed exchanges come free with their FAIL, not before.
#include "client/adapter/dovecot_auth.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "client/adapter/base64.h"
#include "client/adapter/dovecot_auth_line.h"
#include "client/adapter/dovecot_auth_reply.h"
#include "client/adapter/dovecot_exchanges.h"
#include "client/adapter/tab_fields.h"

namespace sasld {
namespace {

constexpr size_t kMaxLineBytes = 16384;  // with LF; Dovecot's own limit

// Postfix before 3.12 cuts an AUTH command at 2048 bytes and passes the stump on.
constexpr size_t kPostfixLineLimit = 2048;
constexpr std::string_view kCutOff =
    "the mail server cut an initial response off at its line length limit; in Postfix, raise "
    "line_length_limit";

class DovecotAuthSession final : public ProtocolSession {
 public:
  explicit DovecotAuthSession(const SessionFacts& facts)
      : temporary_failure_(facts.temporary_failure) {
    AppendDovecotGreeting(facts, greeting_);
  }

  void Greet(std::string& out) override { out += std::exchange(greeting_, std::string()); }
  void Receive(std::string_view bytes, std::string& out,
               std::vector<ProtocolEvent>& events) override;
  void Answer(uint64_t exchange, v1::StepReply&& reply, std::string& out,
              std::vector<ProtocolEvent>& events) override;
  void ForgetSilent(absl::Time now) override { exchanges_.ForgetSilent(now); }

 private:
  enum class Phase { kVersion, kCpid, kRequests, kClosed };

  using Exchange = DovecotExchange;
  struct Output {
    std::string& lines;
    std::vector<ProtocolEvent>& events;
  };

  void TakeLine(std::string_view line, Output out);
  void TakeVersion(std::string_view line, Output out);
  void TakeCpid(std::string_view line, Output out);
  void TakeAuth(std::string_view arguments, Output out);
  void TakeContinue(std::string_view arguments, Output out);
  void TakeCancel(std::string_view arguments, Output out);

  void Step(Exchange& exchange, std::string state, std::optional<std::string_view> response,
            Output out);
  void Respond(Exchange& exchange, std::string_view response, Output out);
  void Succeed(Exchange& exchange, v1::Success& success, Output out);
  void Fail(Exchange& exchange, const v1::Failure& failure, bool first_step, Output out);
  void FailTemporarily(Exchange& exchange, Output out);
  void Drop(Exchange& exchange, Output out);
  void Close(std::string_view why, Output out);

  TemporaryFailureWay temporary_failure_;
  Phase phase_ = Phase::kVersion;
  uint32_t client_minor_ = 0;
  std::string greeting_;
  std::string unfinished_line_;
  DovecotExchanges exchanges_;
};

void DovecotAuthSession::Receive(std::string_view bytes, std::string& out,
                                 std::vector<ProtocolEvent>& events) {
  Output output{out, events};
  while (!bytes.empty() && phase_ != Phase::kClosed) {
    size_t end = std::min(bytes.find('\n'), bytes.size());
    if (unfinished_line_.size() + end >= kMaxLineBytes) {
      return Close("a line of more than 16384 bytes", output);
    }
    if (end == bytes.size()) {
      unfinished_line_ += bytes;
      return;
    }
    if (unfinished_line_.empty()) {
      TakeLine(bytes.substr(0, end), output);
    } else {
      // Taken out first, so that an idle connection keeps no memory for it.
      std::string line = std::exchange(unfinished_line_, std::string());
      TakeLine(line += bytes.substr(0, end), output);
    }
    bytes.remove_prefix(end + 1);
  }
}

void DovecotAuthSession::TakeLine(std::string_view line, Output out) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
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
  TabFields fields(line);
  bool is_version = *fields.Next() == "VERSION";
  std::optional<uint32_t> major = ParseDovecotId(fields.Next().value_or(""));
  std::string_view minor = fields.Next().value_or("");
  auto [end, error] = std::from_chars(minor.data(), minor.data() + minor.size(), client_minor_);
  if (!is_version || minor.empty() || error != std::errc() || end != minor.data() + minor.size() ||
      fields.Rest()) {
    return Close("the first line is not VERSION with two numbers", out);
  }
  if (major != 1u) return Close("a major version other than 1", out);
  phase_ = Phase::kCpid;
}

void DovecotAuthSession::TakeCpid(std::string_view line, Output out) {
  TabFields fields(line);
  bool is_cpid = *fields.Next() == "CPID";
  if (!is_cpid || !ParseDovecotId(fields.Rest().value_or(""))) {
    return Close("the second line is not CPID with a process id", out);
  }
  phase_ = Phase::kRequests;
}

void DovecotAuthSession::TakeAuth(std::string_view arguments, Output out) {
  auto parsed = ParseDovecotAuthLine(arguments, client_minor_);
  if (auto* why = std::get_if<std::string_view>(&parsed)) return Close(*why, out);
  auto& auth = std::get<DovecotAuthLine>(parsed);
  if (exchanges_.Find(auth.id)) {
    return Close("AUTH with the id of an exchange that is under way", out);
  }
  std::optional<std::string_view> response = std::exchange(auth.response, std::nullopt);
  Exchange* exchange = exchanges_.Begin(std::move(auth));
  if (!exchange) return Close("more than 1024 exchanges at once", out);

  if (response && response->size() % 4 != 0 && response->size() <= kPostfixLineLimit &&
      response->size() + 64 > kPostfixLineLimit) {
    out.events.push_back(Noticed{kCutOff});
  }
  Step(*exchange, std::string(), response, out);
}

void DovecotAuthSession::TakeContinue(std::string_view arguments, Output out) {
  TabFields fields(arguments);
  std::optional<uint32_t> id = ParseDovecotId(*fields.Next());
  if (!id) return Close("CONT without an id in 1..4294967295", out);
  std::optional<std::string_view> response = fields.Rest();
  if (!response) return Close("CONT without data", out);
  Exchange* exchange = exchanges_.Find(*id);
  if (!exchange) {
    // Finished, cancelled, forgotten or never begun. No violation: clients come late.
    return AppendDovecotFail({.id = *id, .reason = "Authentication request timed out"}, out.lines);
  }
  Respond(*exchange, *response, out);
}

void DovecotAuthSession::Respond(Exchange& exchange, std::string_view response, Output out) {
  if (auto* turn = std::get_if<ClientsTurn>(&exchange.turn)) {
    std::string state = std::move(turn->state);
    exchange.turn = ServersTurn{false};
    return Step(exchange, std::move(state), response, out);
  }
  if (auto* success = std::get_if<Acknowledgement>(&exchange.turn)) {
    if (response.empty()) {
      AppendDovecotOk(
          {.id = exchange.auth.id, .authcid = success->authcid, .authzid = success->authzid},
          out.lines);
    } else {
      AppendDovecotFail({.id = exchange.auth.id, .user = success->authzid}, out.lines);
    }
    return exchanges_.Erase(exchange);
  }
  AppendDovecotFail({.id = exchange.auth.id, .reason = "Unexpected continuation"}, out.lines);
  Drop(exchange, out);
}

void DovecotAuthSession::TakeCancel(std::string_view arguments, Output out) {
  std::optional<uint32_t> id = ParseDovecotId(arguments);
  if (!id) return Close("CANCEL without an id in 1..4294967295", out);
  if (Exchange* exchange = exchanges_.Find(*id)) Drop(*exchange, out);
}

void DovecotAuthSession::Step(Exchange& exchange, std::string state,
                              std::optional<std::string_view> response, Output out) {
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
  if (response && response->empty()) {
    wanted.request.set_response("");
  } else if (response) {
    wanted.request.set_response_base64(response->data(), response->size());
  }
  out.events.push_back(std::move(wanted));
}

void DovecotAuthSession::Answer(uint64_t number, v1::StepReply&& reply, std::string& lines,
                                std::vector<ProtocolEvent>& events) {
  Output out{lines, events};
  Exchange* found = exchanges_.FindNumber(number);
  if (phase_ == Phase::kClosed || !found) return;
  Exchange& exchange = *found;
  auto* turn = std::get_if<ServersTurn>(&exchange.turn);
  if (!turn) return;

  switch (reply.outcome_case()) {
    case v1::StepReply::kChallenge: {
      v1::Challenge& challenge = *reply.mutable_challenge();
      if (challenge.data().size() > kMaxDovecotDataBytes) return FailTemporarily(exchange, out);
      AppendDovecotContinue(exchange.auth.id, challenge.data(), lines);
      exchange.turn = ClientsTurn{std::move(*challenge.mutable_state())};
      exchange.waits_since = absl::InfinitePast();
      return;
    }
    case v1::StepReply::kSuccess:
      return Succeed(exchange, *reply.mutable_success(), out);
    case v1::StepReply::kFailure:
      return Fail(exchange, reply.failure(), turn->first_step, out);
    case v1::StepReply::kTemporary:
    case v1::StepReply::OUTCOME_NOT_SET:
      return FailTemporarily(exchange, out);
  }
}

void DovecotAuthSession::Succeed(Exchange& exchange, v1::Success& success, Output out) {
  // A name that cannot be written is an error of ours, not of the client's.
  if (!IsDovecotName(success.authcid()) || !IsDovecotName(success.authzid()) ||
      success.data().size() > kMaxDovecotDataBytes) {
    return FailTemporarily(exchange, out);
  }
  if (success.has_data() && !exchange.auth.final_resp_ok) {
    // RFC 4422 section 3.6: additional data as a challenge, then an empty response.
    AppendDovecotContinue(exchange.auth.id, success.data(), out.lines);
    exchange.turn = Acknowledgement{std::move(*success.mutable_authcid()),
                                    std::move(*success.mutable_authzid())};
    exchange.waits_since = absl::InfinitePast();
    return;
  }
  std::optional<std::string_view> data;
  if (success.has_data()) data = success.data();
  AppendDovecotOk({.id = exchange.auth.id,
                   .authcid = success.authcid(),
                   .authzid = success.authzid(),
                   .anonymous = success.anonymous(),
                   .data = data},
                  out.lines);
  exchanges_.Erase(exchange);
}

void DovecotAuthSession::Fail(Exchange& exchange, const v1::Failure& failure, bool first_step,
                              Output out) {
  DovecotFail fail{.id = exchange.auth.id, .user = failure.authcid()};
  if (failure.code() == v1::Failure::INVALID_BASE64) {
    fail.code = "invalid_base64";
    fail.reason = first_step ? "Invalid base64 data in initial response"
                             : "Invalid base64 data in continued response";
  } else if (failure.code() != v1::Failure::AUTHENTICATION_FAILED) {
    fail.reason = failure.text();  // a wrong password needs no words
  }
  AppendDovecotFail(fail, out.lines);
  exchanges_.Erase(exchange);
}

void DovecotAuthSession::FailTemporarily(Exchange& exchange, Output out) {
  // Clients of minor 0 and 1 (Postfix, Exim) take any FAIL for a wrong password.
  bool close = temporary_failure_ == TemporaryFailureWay::kClose ||
               (temporary_failure_ == TemporaryFailureWay::kAuto && client_minor_ < 2);
  if (close) return Close("", out);
  AppendDovecotTemporaryFail(exchange.auth.id, out.lines);
  exchanges_.Erase(exchange);
}

void DovecotAuthSession::Drop(Exchange& exchange, Output out) {
  if (!exchange.waits_for_client()) out.events.push_back(ExchangeDropped{exchange.number});
  exchanges_.Erase(exchange);
}

void DovecotAuthSession::Close(std::string_view why, Output out) {
  phase_ = Phase::kClosed;
  exchanges_.Clear();
  unfinished_line_.clear();
  out.events.emplace_back(CloseWanted{why});
}

}  // namespace

std::unique_ptr<ProtocolSession> MakeDovecotAuthSession(const SessionFacts& facts) {
  return std::make_unique<DovecotAuthSession>(facts);
}

}  // namespace sasld
