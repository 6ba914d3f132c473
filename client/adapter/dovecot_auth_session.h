// One connection of Dovecot's auth-client protocol. Lines come in in dovecot_auth.cc, what sasld
// answers goes out in dovecot_auth_answers.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/adapter/dovecot_exchanges.h"
#include "client/adapter/dovecot_logins.h"
#include "client/adapter/line_buffer.h"
#include "client/adapter/protocol.h"

namespace sasld {

// Who connects: a mail server, or a login process of Dovecot's, whose users' mail processes come
// for what it had authenticated.
enum class ClientKind { kMailServer, kLoginProcess };

class DovecotAuthSession final : public ProtocolSession, public DovecotLoginSource {
 public:
  DovecotAuthSession(const SessionFacts& facts, ClientKind kind);
  ~DovecotAuthSession() override { LeaveLogins(); }
  DovecotAuthSession(const DovecotAuthSession&) = delete;
  DovecotAuthSession& operator=(const DovecotAuthSession&) = delete;

  void Greet(std::string& out) override;
  std::optional<DovecotLogin> TakeLogin(uint32_t id) override;
  void Receive(std::string_view bytes, std::string& out,
               std::vector<ProtocolEvent>& events) override;
  void Answer(uint64_t exchange, v1::StepReply&& reply, std::string& out,
              std::vector<ProtocolEvent>& events) override;
  void ForgetSilent(absl::Time now) override { exchanges_.ForgetSilent(now); }
  void GiveUp(std::string& out, std::vector<ProtocolEvent>& events) override;
  bool InExchange() const override { return !exchanges_.empty() || !lines_.empty(); }

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
            v1::ChannelBinding* binding, Output out);
  void Respond(Exchange& exchange, std::string_view response, Output out);
  void Succeed(Exchange& exchange, v1::Success& success, Output out);
  void Grant(Exchange& exchange, Granted granted, std::optional<std::string_view> data, Output out);
  void Fail(Exchange& exchange, const v1::Failure& failure, bool first_step, Output out);
  bool hangs_up_on_trouble() const;
  void FailTemporarily(Exchange& exchange, Output out);
  void Drop(Exchange& exchange, Output out);
  void Close(std::string_view why, Output out);
  void LeaveLogins();

  const ClientKind kind_;
  const TemporaryFailureWay temporary_failure_;
  const DovecotCookie cookie_;
  DovecotLogins* logins_;
  Phase phase_ = Phase::kVersion;
  uint32_t client_minor_ = 0;
  uint32_t cpid_ = 0;
  // What of the handshake is still to be sent, to clients without channel binding and with it.
  std::string handshake_;
  std::string binding_handshake_;
  LineBuffer lines_;
  DovecotExchanges exchanges_;
};

}  // namespace sasld
