#include "server/rpc/convert.h"

#include <algorithm>
#include <utility>

namespace sasld {
namespace {

v1::Failure::Code CodeOf(Refusal refusal) {
  switch (refusal) {
    case Refusal::kAuthenticationFailed:
      return v1::Failure::AUTHENTICATION_FAILED;
    case Refusal::kMalformed:
      return v1::Failure::MALFORMED;
    case Refusal::kMechanismUnavailable:
      return v1::Failure::MECHANISM_UNAVAILABLE;
    case Refusal::kEncryptionRequired:
      return v1::Failure::ENCRYPTION_REQUIRED;
    case Refusal::kInvalidBase64:
      return v1::Failure::INVALID_BASE64;
  }
  return v1::Failure::AUTHENTICATION_FAILED;
}

const char* TextOf(Refusal refusal) {
  switch (refusal) {
    case Refusal::kAuthenticationFailed:
      return "authentication failed";
    case Refusal::kMalformed:
      return "malformed authentication message";
    case Refusal::kMechanismUnavailable:
      return "authentication mechanism not available";
    case Refusal::kEncryptionRequired:
      return "this mechanism needs an encrypted connection";
    case Refusal::kInvalidBase64:
      return "invalid base64";
  }
  return "authentication failed";
}

}  // namespace

namespace {

std::optional<std::string_view> BrokenLimit(const v1::ClientCertificate& certificate) {
  constexpr size_t kSha256Bytes = 32;
  const size_t fingerprint = certificate.sha256_fingerprint().size();
  if (fingerprint != 0 && fingerprint != kSha256Bytes) return "certificate fingerprint not SHA-256";
  if (certificate.emails_size() > kMaxCertificateEmails) return "too many certificate emails";
  bool too_long = certificate.common_name().size() > kMaxCertificateTextBytes ||
                  certificate.username().size() > kMaxCertificateTextBytes;
  for (const std::string& email : certificate.emails()) {
    too_long = too_long || email.size() > kMaxCertificateTextBytes;
  }
  if (too_long) return "certificate text too long";
  return std::nullopt;
}

ClientCertificate CertificateOf(const v1::ClientCertificate& certificate) {
  return {certificate.sha256_fingerprint(),
          certificate.common_name(),
          {certificate.emails().begin(), certificate.emails().end()},
          certificate.username()};
}

}  // namespace

std::optional<std::string_view> BrokenLimit(const v1::StepRequest& request) {
  const v1::ConnectionFacts& facts = request.connection();
  if (request.mechanism().size() > kMaxMechanismNameBytes) return "mechanism name too long";
  if (request.state().size() > kMaxStateBytes) return "state too long";
  if (request.response().size() > kMaxResponseBytes) return "response too long";
  if (request.response_base64().size() > kMaxResponseBytes / 3 * 4 + 4) return "response too long";
  if (facts.service().size() > kMaxFactBytes || facts.remote_ip().size() > kMaxFactBytes ||
      facts.local_ip().size() > kMaxFactBytes) {
    return "connection fact too long";
  }
  if (request.channel_bindings_size() > kMaxBindings) return "too many channel bindings";
  for (const v1::ChannelBinding& binding : request.channel_bindings()) {
    if (binding.type().size() > kMaxFactBytes || binding.data().size() > kMaxBindingBytes) {
      return "channel binding too long";
    }
  }
  if (facts.has_certificate()) return BrokenLimit(facts.certificate());
  return std::nullopt;
}

ConnectionFacts FactsOf(const v1::ConnectionFacts& from) {
  ConnectionFacts facts;
  facts.service = from.service();
  facts.remote_ip = from.remote_ip();
  facts.local_ip = from.local_ip();
  facts.remote_port = from.remote_port();
  facts.local_port = from.local_port();
  facts.secured = from.secured();
  facts.can_bind = from.can_bind();
  if (from.has_certificate()) facts.certificate = CertificateOf(from.certificate());
  return facts;
}

namespace {

// A short text would be moved by copying, and what was copied would stay where it was.
std::string TakeAndWipe(std::string& text) {
  std::string taken(text);
  WipeMemory(text.data(), text.size());
  text.clear();
  return taken;
}

}  // namespace

StepInput TakeStepInput(v1::StepRequest& request, absl::Time received, absl::Time deadline) {
  StepInput input;
  input.mechanism = std::move(*request.mutable_mechanism());
  input.facts = FactsOf(request.connection());
  for (v1::ChannelBinding& binding : *request.mutable_channel_bindings()) {
    input.facts.channel_bindings.push_back(
        {std::move(*binding.mutable_type()), std::move(*binding.mutable_data())});
  }
  input.state = std::move(*request.mutable_state());
  if (request.has_response_base64()) {
    input.response = StepInput::Base64{TakeAndWipe(*request.mutable_response_base64())};
  } else if (request.has_response()) {
    input.response = TakeAndWipe(*request.mutable_response());
  }
  input.received = received;
  input.deadline = std::min(deadline, received + kMaxBudget);
  return input;
}

void FillReply(StepResult result, v1::StepReply& reply) {
  struct Visitor {
    v1::StepReply& reply;
    void operator()(ContinueWith& next) {
      v1::Challenge& challenge = *reply.mutable_challenge();
      challenge.set_data(std::move(next.data));
      challenge.set_state(std::move(next.sealed_state));
      if (!next.channel_binding_type.empty()) {
        challenge.set_channel_binding_type(std::move(next.channel_binding_type));
      }
    }
    void operator()(Granted& granted) {
      v1::Success& success = *reply.mutable_success();
      success.set_authcid(std::move(granted.authcid));
      success.set_authzid(std::move(granted.authzid));
      if (granted.data) success.set_data(*std::move(granted.data));
      success.set_anonymous(granted.anonymous);
    }
    void operator()(Refused& refused) {
      v1::Failure& failure = *reply.mutable_failure();
      failure.set_code(CodeOf(refused.refusal));
      failure.set_authcid(std::move(refused.authcid));
      failure.set_text(TextOf(refused.refusal));
    }
    void operator()(Undecided& undecided) {
      v1::TemporaryFailure& temporary = *reply.mutable_temporary();
      temporary.set_text(std::string(undecided.text));
      temporary.set_retry_elsewhere(undecided.retry_elsewhere);
    }
  };
  std::visit(Visitor{reply}, result);
}

namespace {

void FillTrouble(const absl::Status& status, v1::StepReply& reply) {
  v1::TemporaryFailure& temporary = *reply.mutable_temporary();
  temporary.set_text(std::string(status.message()));
  temporary.set_retry_elsewhere(true);
}

void FillAccount(const absl::StatusOr<AccountFacts>& found, v1::StepReply& reply) {
  if (absl::IsNotFound(found.status())) {
    reply.mutable_account()->set_status(v1::AccountAnswer::UNKNOWN);
    return;
  }
  if (!found.ok()) return FillTrouble(found.status(), reply);
  v1::AccountAnswer& answer = *reply.mutable_account();
  answer.set_status(v1::AccountAnswer::FOUND);
  answer.set_name(found->name.str());
  answer.set_may_log_in(found->may_log_in);
  for (const auto& [name, attribute] : found->attributes) {
    v1::AccountAttribute& one = *answer.add_attributes();
    one.set_name(name);
    one.set_value(attribute.value);
  }
}

void FillNames(const absl::StatusOr<std::vector<std::string>>& names, v1::StepReply& reply) {
  if (!names.ok()) return FillTrouble(names.status(), reply);
  v1::AccountAnswer& answer = *reply.mutable_account();
  answer.set_status(v1::AccountAnswer::FOUND);
  for (const std::string& name : *names) answer.add_names(name);
}

}  // namespace

void FillAnswer(const v1::AccountQuestion& question, const AccountLookups* lookups, absl::Time now,
                v1::StepReply& reply) {
  if (lookups == nullptr || !lookups->allowed()) {
    reply.mutable_account()->set_status(v1::AccountAnswer::FORBIDDEN);
    return;
  }
  switch (question.question_case()) {
    case v1::AccountQuestion::kName:
      return FillAccount(lookups->Find(question.name(), now), reply);
    case v1::AccountQuestion::kAfter:
      return FillNames(lookups->NamesAfter(question.after()), reply);
    case v1::AccountQuestion::QUESTION_NOT_SET:
      reply.mutable_account()->set_status(v1::AccountAnswer::UNKNOWN);
  }
}

void FillMechanisms(const std::vector<const RegisteredMechanism*>& mechanisms,
                    v1::ListMechanismsReply& reply) {
  for (const RegisteredMechanism* mechanism : mechanisms) {
    v1::MechanismInfo& info = *reply.add_mechanisms();
    info.set_name(std::string(mechanism->name));
    info.set_plaintext(mechanism->properties.plaintext);
    info.set_dictionary(mechanism->properties.dictionary);
    info.set_active(mechanism->properties.active);
    info.set_mutual_auth(mechanism->properties.mutual_auth);
    info.set_forward_secrecy(mechanism->properties.forward_secrecy);
    info.set_anonymous(mechanism->properties.anonymous);
    info.set_channel_binding(mechanism->properties.channel_binding);
  }
}

}  // namespace sasld
