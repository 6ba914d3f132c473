// How a client's certificate names its account (EXTERNAL).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/sasl/certificate.h"
#include "server/sasl/username.h"

namespace sasld {

// What of a certificate may be an account's name.
enum class CertificateName {
  kEmail,       // the first rfc822Name of its subjectAltName
  kUsername,    // what the mail server takes for the name
  kCommonName,  // the CN of its subject
};

struct CertificateRules {
  // SHA-256 fingerprint (32 bytes) to account: looked at first, whatever the certificate says.
  std::map<std::string, Username> accounts;
  // Then the first of these that the certificate has.
  std::vector<CertificateName> names;

  // Nothing: the certificate names nobody, or what it names cannot be an account's name.
  std::optional<Username> AccountOf(const ClientCertificate& certificate) const;

  friend bool operator==(const CertificateRules&, const CertificateRules&) = default;
};

}  // namespace sasld
