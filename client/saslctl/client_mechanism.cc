#include "client/saslctl/client_mechanism.h"

#include "client/saslctl/scram_client.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

// RFC 4616, with an empty authzid.
class PlainClient final : public ClientMechanism {
 public:
  PlainClient(std::string_view authcid, const Password& password)
      : authcid_(authcid), password_(password.Reveal()) {}
  std::optional<std::string> InitialResponse() override {
    std::string message(1, '\0');
    message += authcid_;
    message += '\0';
    message += password_.Reveal();
    return message;
  }
  absl::StatusOr<std::string> Respond(std::string_view) override {
    return absl::InternalError("the server sent a challenge, which PLAIN has none of");
  }
  absl::Status Finish(const std::optional<std::string>&) override { return absl::OkStatus(); }
  bool verifies_server() const override { return false; }

 private:
  const std::string authcid_;
  const Password password_;
};

// draft-murchison-sasl-login: two prompts, whose text does not matter.
class LoginClient final : public ClientMechanism {
 public:
  LoginClient(std::string_view authcid, const Password& password)
      : authcid_(authcid), password_(password.Reveal()) {}
  std::optional<std::string> InitialResponse() override { return std::nullopt; }
  absl::StatusOr<std::string> Respond(std::string_view) override {
    switch (prompts_++) {
      case 0:
        return authcid_;
      case 1:
        return std::string(password_.Reveal());
      default:
        return absl::InternalError("the server sent a third prompt, which LOGIN has none of");
    }
  }
  absl::Status Finish(const std::optional<std::string>&) override { return absl::OkStatus(); }
  bool verifies_server() const override { return false; }

 private:
  const std::string authcid_;
  const Password password_;
  int prompts_ = 0;
};

}  // namespace

std::vector<std::string> ClientMechanismNames() { return {"SCRAM-SHA-256", "PLAIN", "LOGIN"}; }

absl::StatusOr<std::unique_ptr<ClientMechanism>> MakeClientMechanism(std::string_view name,
                                                                     std::string_view authcid,
                                                                     const Password& password) {
  if (name == "PLAIN") return std::make_unique<PlainClient>(authcid, password);
  if (name == "LOGIN") return std::make_unique<LoginClient>(authcid, password);
  if (name == "SCRAM-SHA-256") {
    ASSIGN_OR_RETURN(const std::string cnonce, MakeNonce());
    return std::make_unique<ScramClient>(authcid, password, cnonce);
  }
  return absl::InternalError("no such mechanism");
}

}  // namespace sasld::saslctl
