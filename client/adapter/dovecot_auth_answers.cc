#include <optional>
#include <utility>

#include "client/adapter/dovecot_auth_reply.h"
#include "client/adapter/dovecot_auth_session.h"

namespace sasld {

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
      AppendDovecotContinue(exchange.auth.id, challenge.data(), challenge.channel_binding_type(),
                            lines);
      exchange.turn = ClientsTurn{std::move(*challenge.mutable_state()),
                                  std::move(*challenge.mutable_channel_binding_type())};
      exchange.waits_since = absl::InfinitePast();
      return;
    }
    case v1::StepReply::kSuccess:
      return Succeed(exchange, *reply.mutable_success(), out);
    case v1::StepReply::kFailure:
      return Fail(exchange, reply.failure(), turn->first_step, out);
    case v1::StepReply::kTemporary:
    case v1::StepReply::kAccount:  // was not asked for
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
    AppendDovecotContinue(exchange.auth.id, success.data(), {}, out.lines);
    exchange.turn = Acknowledgement{std::move(*success.mutable_authcid()),
                                    std::move(*success.mutable_authzid()), success.anonymous()};
    exchange.waits_since = absl::InfinitePast();
    return;
  }
  std::optional<std::string_view> data;
  if (success.has_data()) data = success.data();
  Grant(exchange,
        {std::move(*success.mutable_authcid()), std::move(*success.mutable_authzid()),
         success.anonymous()},
        data, out);
}

void DovecotAuthSession::Grant(Exchange& exchange, Granted granted,
                               std::optional<std::string_view> data, Output out) {
  AppendDovecotOk({.id = exchange.auth.id,
                   .authcid = granted.authcid,
                   .authzid = granted.authzid,
                   .anonymous = granted.anonymous,
                   .data = data},
                  out.lines);
  if (kind_ == ClientKind::kMailServer) return exchanges_.Erase(exchange);
  // Until a mail process comes for it.
  exchange.turn = std::move(granted);
  exchange.waits_since = absl::InfinitePast();
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

bool DovecotAuthSession::hangs_up_on_trouble() const {
  // Clients of minor 0 and 1 (Postfix, Exim) take any FAIL for a wrong password.
  return temporary_failure_ == TemporaryFailureWay::kClose ||
         (temporary_failure_ == TemporaryFailureWay::kAuto && client_minor_ < 2);
}

void DovecotAuthSession::FailTemporarily(Exchange& exchange, Output out) {
  if (hangs_up_on_trouble()) return Close("", out);
  AppendDovecotTemporaryFail(exchange.auth.id, out.lines);
  exchanges_.Erase(exchange);
}

// Dovecot 2.3 tells its clients of a wrong password if it is hung up on.
void DovecotAuthSession::GiveUp(std::string& out, std::vector<ProtocolEvent>&) {
  if (hangs_up_on_trouble()) return;
  exchanges_.ForEachUnfinished(
      [&out](const Exchange& exchange) { AppendDovecotTemporaryFail(exchange.auth.id, out); });
}

std::optional<DovecotLogin> DovecotAuthSession::TakeLogin(uint32_t id) {
  Exchange* exchange = exchanges_.Find(id);
  auto* granted = exchange ? std::get_if<Granted>(&exchange->turn) : nullptr;
  if (!granted) return std::nullopt;
  DovecotLogin login{std::move(granted->authcid), std::move(granted->authzid),
                     std::move(exchange->auth.mechanism), granted->anonymous};
  exchanges_.Erase(*exchange);
  return login;
}

}  // namespace sasld
