#include "server/auth/certificate_rules.h"

#include <string_view>

namespace sasld {
namespace {

std::string_view TextOf(CertificateName name, const ClientCertificate& certificate) {
  switch (name) {
    case CertificateName::kEmail:
      return certificate.emails.empty() ? std::string_view() : certificate.emails.front();
    case CertificateName::kUsername:
      return certificate.username;
    case CertificateName::kCommonName:
      return certificate.common_name;
  }
  return {};
}

}  // namespace

std::optional<Username> CertificateRules::AccountOf(const ClientCertificate& certificate) const {
  if (const auto pinned = accounts.find(certificate.sha256_fingerprint); pinned != accounts.end()) {
    return pinned->second;
  }
  for (const CertificateName name : names) {
    const std::string_view text = TextOf(name, certificate);
    if (text.empty()) continue;
    absl::StatusOr<Username> prepared = Username::Prepare(text);
    if (!prepared.ok()) return std::nullopt;
    return *std::move(prepared);
  }
  return std::nullopt;
}

}  // namespace sasld
