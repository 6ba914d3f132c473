#include "client/saslctl/client_mechanism.h"

#include <openssl/evp.h>

#include <array>

#include "client/saslctl/md5_clients.h"
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

struct ScramHash {
  std::string_view mechanism;
  const EVP_MD* (*hash)();
};
constexpr std::array kScramHashes = {
    ScramHash{"SCRAM-SHA3-512", &EVP_sha3_512}, ScramHash{"SCRAM-SHA-512", &EVP_sha512},
    ScramHash{"SCRAM-SHA-384", &EVP_sha384},    ScramHash{"SCRAM-SHA-256", &EVP_sha256},
    ScramHash{"SCRAM-SHA-224", &EVP_sha224},    ScramHash{"SCRAM-SHA-1", &EVP_sha1}};

}  // namespace

std::vector<std::string> ClientMechanismNames() {
  std::vector<std::string> names;
  for (const ScramHash& scram : kScramHashes) names.emplace_back(scram.mechanism);
  names.insert(names.end(), {"DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"});
  return names;
}

absl::StatusOr<std::string> FindClientMechanism(std::string_view typed) {
  std::string name(typed);
  for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  if (name.ends_with("-PLUS") || name == "EXTERNAL") {
    return absl::InvalidArgumentError(name + " needs a TLS connection: test it with a real client");
  }
  std::string all;
  for (const std::string& known : ClientMechanismNames()) {
    if (known == name) return name;
    all += (all.empty() ? "" : ", ") + known;
  }
  return absl::InvalidArgumentError(name + " is none of " + all +
                                    " (-PLUS and EXTERNAL need a TLS connection: test them with a "
                                    "real client)");
}

absl::StatusOr<std::unique_ptr<ClientMechanism>> MakeClientMechanism(std::string_view name,
                                                                     std::string_view authcid,
                                                                     const Password& password,
                                                                     std::string_view service) {
  if (name == "PLAIN") return std::make_unique<PlainClient>(authcid, password);
  if (name == "LOGIN") return std::make_unique<LoginClient>(authcid, password);
  if (name == "CRAM-MD5") return std::make_unique<CramMd5Client>(authcid, password);
  ASSIGN_OR_RETURN(const std::string cnonce, MakeNonce());
  if (name == "DIGEST-MD5") {
    return std::make_unique<DigestMd5Client>(authcid, password, service, cnonce);
  }
  for (const ScramHash& scram : kScramHashes) {
    if (name == scram.mechanism) {
      return std::make_unique<ScramClient>(scram.hash(), authcid, password, cnonce);
    }
  }
  return absl::InternalError("no such mechanism");
}

}  // namespace sasld::saslctl
