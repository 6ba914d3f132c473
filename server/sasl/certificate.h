// What is known of the certificate that a client showed in its TLS handshake.
#pragma once

#include <string>
#include <vector>

namespace sasld {

// Of a certificate whose chain the mail server has verified; one that was not verified is none. All
// texts as they stand in the certificate, unprepared; empty where it has none.
struct ClientCertificate {
  std::string sha256_fingerprint;   // of the DER form: 32 bytes, or empty if unknown
  std::string common_name;          // the last CN of the subject
  std::vector<std::string> emails;  // rfc822Names of the subjectAltName
  std::string username;             // what the mail server itself takes for the user's name

  friend bool operator==(const ClientCertificate&, const ClientCertificate&) = default;
};

}  // namespace sasld
