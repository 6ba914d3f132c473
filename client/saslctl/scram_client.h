// The client's side of SCRAM (RFC 5802) with any hash, without channel binding.
#pragma once

#include <openssl/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "client/saslctl/client_mechanism.h"

namespace sasld::saslctl {

// A c-nonce: 24 printable characters, 144 random bits.
absl::StatusOr<std::string> MakeNonce();

// Deviation: a name or password that SASLprep refuses is sent as it is, so that the server's
// judgement can be seen.
class ScramClient final : public ClientMechanism {
 public:
  // `hash` lives as long as the process, as those of EVP_sha256() and the like do.
  ScramClient(const EVP_MD* hash, std::string_view authcid, const Password& password,
              std::string_view cnonce);
  std::optional<std::string> InitialResponse() override;
  absl::StatusOr<std::string> Respond(std::string_view server_first) override;
  absl::Status Finish(const std::optional<std::string>& server_final) override;
  bool verifies_server() const override { return true; }

 private:
  const EVP_MD* const hash_;
  const Password password_;  // prepared
  const std::string cnonce_;
  const std::string client_first_message_bare_;
  std::string server_signature_;  // empty until client-final was made
};

}  // namespace sasld::saslctl
