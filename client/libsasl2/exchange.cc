#include "client/libsasl2/exchange.h"

#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "client/base64.h"
#include "client/libsasl2/mechanism.h"

namespace sasld::libsasl2 {
namespace {

// Postfix's patience with its authentication server is 10 s; the adapter answers within 9 s at
// most, and within 4 s as it is configured at first.
constexpr int64_t kStepMilliseconds = 9000;
// More than 1000 mechanisms; who writes more than this before an answer is no adapter.
constexpr int kMaxGreetingLines = 1024;
constexpr size_t kMaxReasonBytes = 200;

std::string_view View(const char* text, unsigned size) {
  return text == nullptr ? std::string_view() : std::string_view(text, size);
}

std::string_view BindingName(const sasl_server_params_t& params) {
  return params.cbinding == nullptr || params.cbinding->name == nullptr ? ""
                                                                        : params.cbinding->name;
}

void SayRefused(const sasl_server_params_t& params, std::string_view reason) {
  // seterror() knows no length. A reason is for people, and from sasld it is printable ASCII.
  char text[kMaxReasonBytes + 1];
  size_t size = std::min(reason.size(), kMaxReasonBytes);
  std::transform(reason.data(), reason.data() + size, text,
                 [](char c) { return c >= ' ' && c < '\x7f' ? c : '?'; });
  text[size] = '\0';
  params.utils->seterror(params.utils->conn, 0, "refused by sasld%s%s; sasld's log has the reason",
                         size > 0 ? ": " : "", text);
}

}  // namespace

Exchange::~Exchange() { explicit_bzero(server_out_.data(), server_out_.size()); }

int Exchange::Step(const sasl_server_params_t& params, std::optional<std::string_view> response,
                   const char** server_out, unsigned* server_out_size, sasl_out_params_t& out) {
  Deadline deadline = Within(kStepMilliseconds);
  Phase phase = phase_;
  phase_ = Phase::kOver;  // unless it goes on
  if (phase == Phase::kOver) return Fault(params, "a step after the last one");

  int result = phase == Phase::kNew ? Begin(params, response, deadline)
                                    : Continue(params, response.value_or(""), deadline);
  if (result != SASL_OK) return result;
  Reply reply = ReadReply(deadline);
  if (auto* challenge = std::get_if<Challenge>(&reply)) {
    return Challenged(params, *challenge, server_out, server_out_size);
  }
  if (auto* success = std::get_if<Success>(&reply)) {
    result = Succeed(params, *success, server_out, server_out_size, out);
    socket_.Close();
    return result;
  }
  if (auto* refusal = std::get_if<Refusal>(&reply)) {
    SayRefused(params, refusal->reason);
    socket_.Close();
    return SASL_BADAUTH;
  }
  if (std::get_if<TryLater>(&reply)) {
    socket_.Close();
    params.utils->seterror(
        params.utils->conn, 0,
        "sasld is away, too busy or throttles; try again later (saslctl status)");
    return kTryLater;
  }
  if (std::get_if<Violation>(&reply)) {
    return Fault(params, "an answer that is not Dovecot's auth-client protocol");
  }
  return Unreachable(params);
}

int Exchange::Begin(const sasl_server_params_t& params, std::optional<std::string_view> response,
                    Deadline deadline) {
  ExchangeFacts facts{
      .mechanism = mechanism_,
      .service = View(params.service, params.servicelen),
      .local_address = View(params.iplocalport, params.iploclen),
      .remote_address = View(params.ipremoteport, params.ipremlen),
      .secured = params.external_ssf > 0 || trusts_way_,
      .can_bind = !BindingName(params).empty(),
  };
  if (!IsService(facts.service)) {
    params.utils->seterror(params.utils->conn, 0,
                           "the application's service name is empty, or not printable ASCII");
    return SASL_BADPARAM;
  }
  // libsasl2 tells a plug-in the name without -PLUS. RFC 5802 section 6: a client that uses
  // channel binding says so in its first message, and only with that name.
  std::array<char, 32> with_binding;
  if (IsScram(mechanism_) && response) TakeBindingFlag(*response);
  if (binding_ == SASL_CB_DISP_USED) {
    constexpr std::string_view kPlus = "-PLUS";
    char* end = std::copy(mechanism_.begin(), mechanism_.end(), with_binding.begin());
    end = std::copy(kPlus.begin(), kPlus.end(), end);
    facts.mechanism = {with_binding.data(), static_cast<size_t>(end - with_binding.data())};
  }
  AppendHandshake(facts.can_bind, static_cast<uint64_t>(getpid()), request_);
  AppendAuth(facts, response, request_);
  if (request_.fits() && !socket_.Connect(socket_path_, deadline)) {
    request_.Wipe();
    return Unreachable(params);
  }
  return Send(params, deadline);
}

int Exchange::Continue(const sasl_server_params_t& params, std::string_view response,
                       Deadline deadline) {
  std::optional<std::string_view> binding_data;
  if (wants_binding_data_) {
    got_binding_data_ = true;
    binding_data = {reinterpret_cast<const char*>(params.cbinding->data), params.cbinding->len};
  }
  AppendContinue(response, binding_data, request_);
  return Send(params, deadline);
}

int Exchange::Send(const sasl_server_params_t& params, Deadline deadline) {
  bool fits = request_.fits();
  bool sent = fits && socket_.Send(request_.text(), deadline);
  request_.Wipe();
  if (sent) return SASL_OK;
  if (fits) return Unreachable(params);
  params.utils->seterror(params.utils->conn, 0, "the client's message is too long");
  return SASL_BADPROT;
}

// NotAReply: there is none, and the socket knows why.
Reply Exchange::ReadReply(Deadline deadline) {
  for (int lines = 0; lines < kMaxGreetingLines; ++lines) {
    std::optional<std::string_view> line = socket_.ReadLine(deadline);
    if (!line) return NotAReply{};
    if (!greeted_) {
      if (!IsVersion1(*line)) return Violation{};
      greeted_ = true;
      continue;
    }
    Reply reply = ParseReply(*line);
    if (!std::get_if<NotAReply>(&reply)) return reply;
  }
  return Violation{};
}

int Exchange::Challenged(const sasl_server_params_t& params, const Challenge& challenge,
                         const char** server_out, unsigned* server_out_size) {
  if (!Decode(challenge.base64, server_out, server_out_size)) {
    return Fault(params, "a challenge that is not base64");
  }
  wants_binding_data_ = !challenge.binding_type.empty();
  if (wants_binding_data_ && challenge.binding_type != BindingName(params)) {
    socket_.Close();
    params.utils->seterror(params.utils->conn, 0,
                           "the client binds to %s, for which the application has no data",
                           binding_name_.data());
    return SASL_BADBINDING;
  }
  phase_ = Phase::kClientsTurn;
  return SASL_CONTINUE;
}

int Exchange::Succeed(const sasl_server_params_t& params, const Success& success,
                      const char** server_out, unsigned* server_out_size, sasl_out_params_t& out) {
  if (!IsName(success.authcid) || !IsName(success.authzid)) {
    return Fault(params, "success with a name that is none");
  }
  // libsasl2 is about to be told that the client is bound to this connection.
  if (binding_ == SASL_CB_DISP_USED && !got_binding_data_) {
    return Fault(params, "success without a look at the channel binding data");
  }
  if (success.base64 && !Decode(*success.base64, server_out, server_out_size)) {
    return Fault(params, "additional data that is not base64");
  }
  // Verified elsewhere: where the application's own user properties know nobody of that name, it
  // is no error. Whether authcid may act as authzid, sasld has decided, and the application does
  // again.
  constexpr unsigned kVerified = SASL_CU_EXTERNALLY_VERIFIED;
  bool same = success.authcid == success.authzid;
  int result = params.canon_user(params.utils->conn, success.authcid.data(),
                                 static_cast<unsigned>(success.authcid.size()),
                                 SASL_CU_AUTHID | (same ? SASL_CU_AUTHZID : 0) | kVerified, &out);
  if (result == SASL_OK && !same) {
    result = params.canon_user(params.utils->conn, success.authzid.data(),
                               static_cast<unsigned>(success.authzid.size()),
                               SASL_CU_AUTHZID | kVerified, &out);
  }
  if (result != SASL_OK) return result;
  out.doneflag = 1;
  out.mech_ssf = 0;
  out.maxoutbuf = 0;
  out.encode_context = nullptr;
  out.encode = nullptr;
  out.decode_context = nullptr;
  out.decode = nullptr;
  // libsasl2 holds this against what the application wants.
  out.cbindingdisp = binding_;
  out.cbindingname = binding_ == SASL_CB_DISP_USED ? binding_name_.data() : nullptr;
  out.param_version = 0;
  return SASL_OK;
}

bool Exchange::Decode(std::string_view base64, const char** server_out, unsigned* server_out_size) {
  std::optional<size_t> size = DecodeBase64(base64, server_out_.data(), server_out_.size());
  if (!size) return false;
  *server_out = server_out_.data();
  *server_out_size = static_cast<unsigned>(*size);
  return true;
}

// RFC 5802 section 7: gs2-cbind-flag is "p=" cb-name, "n" or "y", then a comma.
void Exchange::TakeBindingFlag(std::string_view client_first_message) {
  if (client_first_message.starts_with("y,")) binding_ = SASL_CB_DISP_WANT;
  if (!client_first_message.starts_with("p=")) return;
  binding_ = SASL_CB_DISP_USED;
  client_first_message.remove_prefix(2);
  size_t size = std::min(
      {client_first_message.find(','), client_first_message.size(), binding_name_.size() - 1});
  std::transform(client_first_message.data(), client_first_message.data() + size,
                 binding_name_.data(), [](char c) { return c > ' ' && c < '\x7f' ? c : '?'; });
}

int Exchange::Unreachable(const sasl_server_params_t& params) {
  socket_.Close();
  params.utils->seterror(
      params.utils->conn, 0,
      "no answer from sasld-adapter at %s: %s; sasld-adapter check --as-user USER PATH tells more",
      socket_path_, socket_.why());
  return kTryLater;
}

int Exchange::Fault(const sasl_server_params_t& params, const char* what) {
  socket_.Close();
  params.utils->seterror(params.utils->conn, 0,
                         "%s: %s; is it sasld-adapter's socket, with protocol dovecot-auth?",
                         socket_path_, what);
  return kTryLater;
}

}  // namespace sasld::libsasl2
