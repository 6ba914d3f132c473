// The client's side of CRAM-MD5 (RFC 2195) and DIGEST-MD5 (RFC 2831, qop=auth).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "client/saslctl/client_mechanism.h"

namespace sasld::saslctl {

// Deviation of both: names and passwords are prepared by SASLprep, as sasld's are.
class CramMd5Client final : public ClientMechanism {
 public:
  CramMd5Client(std::string_view authcid, const Password& password);
  std::optional<std::string> InitialResponse() override { return std::nullopt; }
  absl::StatusOr<std::string> Respond(std::string_view challenge) override;
  absl::Status Finish(const std::optional<std::string>& data) override;
  bool verifies_server() const override { return false; }

 private:
  const std::string authcid_;
  const Password password_;  // prepared
  bool answered_ = false;
};

class DigestMd5Client final : public ClientMechanism {
 public:
  // `service` as in digest-uri, such as "imap". The host there is the realm, which sasld does not
  // look at.
  DigestMd5Client(std::string_view authcid, const Password& password, std::string_view service,
                  std::string_view cnonce);
  std::optional<std::string> InitialResponse() override { return std::nullopt; }
  absl::StatusOr<std::string> Respond(std::string_view challenge) override;
  absl::Status Finish(const std::optional<std::string>& rspauth) override;
  bool verifies_server() const override { return true; }

 private:
  const std::string authcid_;
  const Password password_;  // prepared
  const std::string service_;
  const std::string cnonce_;
  std::string rspauth_;  // expected; empty until the challenge was answered
};

}  // namespace sasld::saslctl
