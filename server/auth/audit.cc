#include "server/auth/audit.h"

#include <spdlog/spdlog.h>

namespace sasld {
namespace {

constexpr size_t kMaxValueBytes = 300;

// At most kMaxValueBytes of it, and no half of a character of UTF-8 at the end.
std::string_view Shortened(std::string_view value) {
  if (value.size() <= kMaxValueBytes) return value;
  size_t end = kMaxValueBytes;
  while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xc0) == 0x80) --end;
  return value.substr(0, end);
}

// A value between quotes that cannot break out of them, whatever the client sent.
std::string Quoted(std::string_view value) {
  std::string quoted("\"");
  for (const char c : Shortened(value)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted.append({'\\', c});
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted.push_back('?');
    } else {
      quoted.push_back(c);
    }
  }
  return quoted.append("\"");
}

// Addresses and service names come from the mail server; they are printed bare where they can be.
std::string Bare(std::string_view value) {
  const bool plain =
      !value.empty() &&
      value.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_") == value.npos;
  return plain ? std::string(value) : Quoted(value);
}

std::string Fields(const AuditRecord& record) {
  std::string fields =
      fmt::format("mechanism={} user={} service={} remote_ip={} secured={}", record.mechanism,
                  Quoted(record.authcid), Bare(record.facts.service), Bare(record.facts.remote_ip),
                  record.facts.secured ? "yes" : "no");
  if (!record.authzid.empty()) fields += fmt::format(" authzid={}", Quoted(record.authzid));
  if (!record.trace.empty()) fields += fmt::format(" trace={}", Quoted(record.trace));
  return fields;
}

// What was added to the format last; it ends the line.
std::string Credential(const AuditRecord& record) {
  return record.credential.empty() ? "" : fmt::format(" credential={}", Bare(record.credential));
}

}  // namespace

std::string_view NameOf(Reason reason) {
  switch (reason) {
    case Reason::kMalformed:
      return "malformed";
    case Reason::kBadCredentials:
      return "bad-credentials";
    case Reason::kStateInvalid:
      return "state-invalid";
    case Reason::kNonceMismatch:
      return "nonce-mismatch";
    case Reason::kBindingMismatch:
      return "binding-mismatch";
    case Reason::kCredentialChanged:
      return "credential-changed";
    case Reason::kMechanismUnavailable:
      return "mechanism-unavailable";
    case Reason::kEncryptionRequired:
      return "encryption-required";
    case Reason::kInvalidBase64:
      return "invalid-base64";
    case Reason::kNotAuthorized:
      return "not-authorized";
    case Reason::kDisabled:
      return "disabled";
    case Reason::kDomainDisabled:
      return "domain-disabled";
    case Reason::kAccountExpired:
      return "account-expired";
    case Reason::kMustChangePassword:
      return "must-change-password";
    case Reason::kAppPasswordRequired:
      return "app-password-required";
    case Reason::kAppPasswordExpired:
      return "app-password-expired";
    case Reason::kServiceNotAllowed:
      return "service-not-allowed";
    case Reason::kNetworkNotAllowed:
      return "network-not-allowed";
    case Reason::kMechanismNotAllowed:
      return "mechanism-not-allowed";
    case Reason::kSendOnly:
      return "send-only";
    case Reason::kUnknownUser:
      return "unknown-user";
    case Reason::kNoVerifier:
      return "no-verifier";
    case Reason::kUsedBefore:
      return "used-before";
    case Reason::kPeerThrottled:
      return "peer-throttled";
    case Reason::kAccountThrottled:
      return "account-throttled";
  }
  return "unknown";
}

Audit::Audit(std::shared_ptr<spdlog::logger> log, bool log_successes)
    : log_(std::move(log)), log_successes_(log_successes) {}

void Audit::Granted(const AuditRecord& record) {
  login_counts_.Granted(record.mechanism);
  if (log_successes_ && log_->should_log(spdlog::level::info)) {
    log_->info("auth result=success {}{}", Fields(record), Credential(record));
  }
}

void Audit::Refused(const AuditRecord& record, Reason reason, std::string_view detail) {
  login_counts_.Refused(record.mechanism, reason);
  TellClientsFault("failure", record, reason, detail);
}

void Audit::HeldBack(const AuditRecord& record, Reason reason, std::string_view detail) {
  login_counts_.HeldBack(record.mechanism, reason);
  TellClientsFault("temporary", record, reason, detail);
}

void Audit::TellClientsFault(std::string_view result, const AuditRecord& record, Reason reason,
                             std::string_view detail) {
  if (!log_->should_log(spdlog::level::info)) return;
  log_->info("auth result={} reason={} {} detail={}{}", result, NameOf(reason), Fields(record),
             Quoted(detail), Credential(record));
}

void Audit::Undecided(const AuditRecord& record, const absl::Status& why) {
  login_counts_.Undecided(record.mechanism, TroubleOf(why));
  if (!log_->should_log(spdlog::level::warn)) return;
  const absl::string_view message = why.message();
  log_->warn("auth result=temporary {} detail={}", Fields(record),
             Quoted(std::string_view(message.data(), message.size())));
}

Audit::Counts Audit::counts() const {
  return {login_counts_.Total(LoginResult::kGranted), login_counts_.Total(LoginResult::kRefused),
          login_counts_.Total(LoginResult::kTemporary)};
}

}  // namespace sasld
