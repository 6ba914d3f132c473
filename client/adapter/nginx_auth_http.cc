// What nginx leaves to us and what we leave to nginx:
// - apop and cram-md5 are refused: nginx has made the challenge itself, and sasld answers for its
// own only.
// - "none" (smtp_auth none) is no login; the client is told to log in.
// - external is for SMTP only. To IMAP and POP3 servers nginx logs in with the client's password,
// and
//   there is none.
// - Proxy-Protocol-* is not looked at: with set_real_ip_from, Client-IP is the client's.
#include "client/adapter/nginx_auth_http.h"

#include <string.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "client/adapter/client_certificate.h"
#include "client/adapter/ip_text.h"
#include "client/adapter/nginx_auth_reply.h"
#include "client/adapter/nginx_auth_request.h"
#include "client/adapter/wiped_buffer.h"

namespace sasld {
namespace {

constexpr uint64_t kOnlyExchange = 1;
constexpr size_t kMaxResponseBytes = 16384;  // sasl.proto, StepRequest
constexpr std::string_view kEndOfHead = "\r\n\r\n";

const Backend* BackendOf(const Backends& backends, std::string_view service) {
  if (service == "imap") return &backends.imap;
  if (service == "pop3") return &backends.pop3;
  if (service == "smtp") return &backends.smtp;
  return nullptr;
}

bool HasNul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

class NginxAuthHttpSession final : public ProtocolSession {
 public:
  explicit NginxAuthHttpSession(const SessionFacts& facts)
      : backends_(*facts.backends),
        close_for_temporary_(facts.temporary_failure == TemporaryFailureWay::kClose) {}

  void Greet(std::string&) override {}
  void Receive(std::string_view bytes, std::string& out,
               std::vector<ProtocolEvent>& events) override;
  void Answer(uint64_t exchange, v1::StepReply&& reply, std::string& out,
              std::vector<ProtocolEvent>& events) override;
  void GiveUp(std::string& out, std::vector<ProtocolEvent>& events) override {
    if (phase_ == Phase::kAsked) TryLater(out, events);
  }
  // A connection is one exchange; the connection's own time limit is the exchange's.
  void ForgetSilent(absl::Time) override {}
  bool InExchange() const override { return phase_ == Phase::kAsked || !received_.empty(); }

 private:
  enum class Phase { kRequest, kAsked, kClosed };

  void Take(const NginxAuthRequest& request, std::string& out, std::vector<ProtocolEvent>& events);
  void AskPlain(const NginxAuthRequest& request, std::string& out,
                std::vector<ProtocolEvent>& events);
  void AskExternal(const NginxAuthRequest& request, std::string& out,
                   std::vector<ProtocolEvent>& events);
  void Ask(StepWanted&& wanted, std::vector<ProtocolEvent>& events);
  void LetIn(const v1::Success& success, std::string& out, std::vector<ProtocolEvent>& events);
  void TakeFailure(v1::Failure::Code code, std::string& out, std::vector<ProtocolEvent>& events);
  void Refuse(const NginxRefusal& refusal, std::string& out, std::vector<ProtocolEvent>& events);
  void TryLater(std::string& out, std::vector<ProtocolEvent>& events);
  void Close(std::string_view why, std::vector<ProtocolEvent>& events);

  const Backends& backends_;
  const bool close_for_temporary_;
  Phase phase_ = Phase::kRequest;
  WipedBuffer received_;  // of the request
  std::string service_;
  bool external_ = false;  // else PLAIN
};

void NginxAuthHttpSession::Receive(std::string_view bytes, std::string& out,
                                   std::vector<ProtocolEvent>& events) {
  if (phase_ != Phase::kRequest) return;
  if (bytes.size() > kMaxNginxAuthRequestBytes - received_.size()) {
    return Close("a request of more than 65536 bytes", events);
  }
  const size_t searched = received_.size();
  received_.Append(bytes);
  const size_t end =
      received_.view().find(kEndOfHead, searched - std::min(searched, kEndOfHead.size() - 1));
  if (end == std::string_view::npos) return;
  if (end + kEndOfHead.size() != received_.size()) {
    return Close("a request with something behind it", events);
  }
  const auto parsed = ParseNginxAuthRequest(received_.view().substr(0, end + 2));
  if (const auto* wrong = std::get_if<std::string_view>(&parsed)) return Close(*wrong, events);
  Take(std::get<NginxAuthRequest>(parsed), out, events);
}

void NginxAuthHttpSession::Take(const NginxAuthRequest& request, std::string& out,
                                std::vector<ProtocolEvent>& events) {
  const std::string_view method = request.method.value_or("");
  const std::string_view client_ip = request.client_ip.value_or("");
  const Backend* backend = BackendOf(backends_, request.protocol.value_or(""));
  if (method.empty()) return Close("a request without Auth-Method", events);
  if (!backend) return Close("an Auth-Protocol that is none of smtp, imap, pop3", events);
  // "unix:" is a client on a Unix socket. Anything else unread would be taken for this machine.
  if (client_ip != "unix:" && IpAddressIn(client_ip).empty()) {
    return Close("a Client-IP that is no address", events);
  }
  service_ = *request.protocol;
  if (method == "none") return Refuse(kNginxLoginFirst, out, events);
  if (backend->port == 0) {
    events.emplace_back(Noticed{"nginx asks for a protocol that [listen.backends] does not have"});
    return TryLater(out, events);
  }
  if (method == "plain") return AskPlain(request, out, events);
  if (method == "external") return AskExternal(request, out, events);
  events.emplace_back(
      Noticed{"nginx offers what it cannot pass on to sasld; leave plain, login and external in "
              "imap_auth, pop3_auth and smtp_auth"});
  Refuse(kNginxNoSuchMethod, out, events);
}

v1::ConnectionFacts FactsOf(const NginxAuthRequest& request) {
  v1::ConnectionFacts facts;
  facts.set_service(std::string(*request.protocol));
  facts.set_remote_ip(std::string(IpAddressIn(*request.client_ip)));
  facts.set_secured(request.ssl == "on");
  return facts;
}

void NginxAuthHttpSession::AskPlain(const NginxAuthRequest& request, std::string& out,
                                    std::vector<ProtocolEvent>& events) {
  const std::string_view escaped_password = request.password.value_or("");
  std::string name;
  if (!AppendNginxUnescaped(request.user.value_or(""), name)) {
    return Close("an Auth-User with a broken escape", events);
  }
  StepWanted wanted{kOnlyExchange, {}};
  wanted.request.set_mechanism("PLAIN");
  *wanted.request.mutable_connection() = FactsOf(request);
  std::string& message = *wanted.request.mutable_response();
  message.reserve(2 + name.size() + escaped_password.size());  // so that no piece is left behind
  message.append(1, '\0').append(name).append(1, '\0');
  const size_t password_at = message.size();
  if (!AppendNginxUnescaped(escaped_password, message)) {
    explicit_bzero(message.data(), message.size());
    return Close("an Auth-Pass with a broken escape", events);
  }
  const std::string_view password = std::string_view(message).substr(password_at);
  // Nobody has these; a NUL would end the name, or the password, in the message.
  if (name.empty() || password.empty() || HasNul(name) || HasNul(password) ||
      message.size() > kMaxResponseBytes) {
    explicit_bzero(message.data(), message.size());
    return Refuse(kNginxWrongLogin, out, events);
  }
  Ask(std::move(wanted), events);
}

void NginxAuthHttpSession::AskExternal(const NginxAuthRequest& request, std::string& out,
                                       std::vector<ProtocolEvent>& events) {
  external_ = true;
  if (service_ != "smtp") return Refuse(kNginxNoSuchMethod, out, events);
  std::string pem;
  std::string authzid;
  if (!AppendNginxUnescaped(request.certificate.value_or(""), pem) ||
      !AppendNginxUnescaped(request.user.value_or(""), authzid)) {
    return Close("an Auth-User or Auth-SSL-Cert with a broken escape", events);
  }
  // "FAILED:…" is one that nobody vouches for (ssl_verify_client optional_no_ca), "NONE" is none.
  if (request.ssl != "on" || request.ssl_verify != "SUCCESS") {
    return Refuse(kNginxWrongLogin, out, events);
  }
  std::optional<v1::ClientCertificate> certificate = ReadClientCertificate(pem);
  if (!certificate) {
    events.emplace_back(
        Noticed{"nginx passes no certificate for EXTERNAL; set auth_http_pass_client_cert on"});
    return TryLater(out, events);
  }
  if (authzid.size() > kMaxResponseBytes) return Refuse(kNginxWrongLogin, out, events);
  StepWanted wanted{kOnlyExchange, {}};
  wanted.request.set_mechanism("EXTERNAL");
  *wanted.request.mutable_connection() = FactsOf(request);
  *wanted.request.mutable_connection()->mutable_certificate() = *std::move(certificate);
  wanted.request.set_response(authzid);
  Ask(std::move(wanted), events);
}

void NginxAuthHttpSession::Ask(StepWanted&& wanted, std::vector<ProtocolEvent>& events) {
  phase_ = Phase::kAsked;
  received_.Wipe();
  events.push_back(std::move(wanted));
}

void NginxAuthHttpSession::Answer(uint64_t exchange, v1::StepReply&& reply, std::string& out,
                                  std::vector<ProtocolEvent>& events) {
  if (phase_ != Phase::kAsked || exchange != kOnlyExchange) return;
  switch (reply.outcome_case()) {
    case v1::StepReply::kSuccess:
      return LetIn(reply.success(), out, events);
    case v1::StepReply::kFailure:
      return TakeFailure(reply.failure().code(), out, events);
    case v1::StepReply::kChallenge:  // neither has one
    case v1::StepReply::kTemporary:
    case v1::StepReply::kAccount:  // was not asked for
    case v1::StepReply::OUTCOME_NOT_SET:
      return TryLater(out, events);
  }
}

void NginxAuthHttpSession::LetIn(const v1::Success& success, std::string& out,
                                 std::vector<ProtocolEvent>& events) {
  if (!IsNginxName(success.authzid())) {
    events.emplace_back(Noticed{
        "an account's name has a blank or is longer than 512 bytes, which nginx cannot pass "
        "on"});
    return TryLater(out, events);
  }
  const Backend& backend = *BackendOf(backends_, service_);
  AppendNginxOk(backend.address, backend.port, success.authzid(), out);
  Close("", events);
}

void NginxAuthHttpSession::TakeFailure(v1::Failure::Code code, std::string& out,
                                       std::vector<ProtocolEvent>& events) {
  if (code == v1::Failure::ENCRYPTION_REQUIRED) return Refuse(kNginxWantsTls, out, events);
  if (code != v1::Failure::MECHANISM_UNAVAILABLE) return Refuse(kNginxWrongLogin, out, events);
  if (external_) {
    events.emplace_back(
        Noticed{"nginx offers EXTERNAL, which is not enabled in sasld.toml, [mechanisms]"});
    return Refuse(kNginxNoSuchMethod, out, events);
  }
  // It is the administrator's mistake: nobody's password is wrong.
  events.emplace_back(
      Noticed{"nginx's auth_http needs PLAIN, which is not enabled in sasld.toml, [mechanisms]"});
  TryLater(out, events);
}

void NginxAuthHttpSession::Refuse(const NginxRefusal& refusal, std::string& out,
                                  std::vector<ProtocolEvent>& events) {
  AppendNginxRefusal(refusal, service_, out);
  Close("", events);
}

// Hung up on, nginx tells of an internal error and hangs up too: to SMTP clients "451 4.3.2", to
// IMAP clients "* BAD", to POP3 clients "-ERR" without a code.
void NginxAuthHttpSession::TryLater(std::string& out, std::vector<ProtocolEvent>& events) {
  if (close_for_temporary_) return Close("", events);
  Refuse(kNginxTryLater, out, events);
}

void NginxAuthHttpSession::Close(std::string_view why, std::vector<ProtocolEvent>& events) {
  phase_ = Phase::kClosed;
  received_.Wipe();
  events.emplace_back(CloseWanted{why});
}

}  // namespace

std::unique_ptr<ProtocolSession> MakeNginxAuthHttpSession(const SessionFacts& facts) {
  return std::make_unique<NginxAuthHttpSession>(facts);
}

}  // namespace sasld
