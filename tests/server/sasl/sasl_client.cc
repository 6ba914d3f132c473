#include "tests/server/sasl/sasl_client.h"

#include <utility>

#include "tests/server/sasl/digest_md5_client.h"
#include "tests/server/sasl/openssl_calls.h"
#include "tests/server/sasl/scram_client.h"

namespace sasld {
namespace {

class PlainClient final : public SaslClient {
 public:
  explicit PlainClient(const ClientSettings& settings) : settings_(settings) {}
  std::optional<std::string> InitialResponse() override {
    return settings_.authzid + '\0' + settings_.authcid + '\0' + settings_.password;
  }
  std::optional<std::string> Answer(const std::string&) override { return std::nullopt; }

 private:
  const ClientSettings settings_;
};

class LoginClient final : public SaslClient {
 public:
  explicit LoginClient(const ClientSettings& settings) : settings_(settings) {}
  std::optional<std::string> Answer(const std::string& challenge) override {
    if (challenge == "Username:") return settings_.authcid;
    if (challenge == "Password:") return settings_.password;
    return std::nullopt;
  }

 private:
  const ClientSettings settings_;
};

class CramMd5Client final : public SaslClient {
 public:
  explicit CramMd5Client(const ClientSettings& settings) : settings_(settings) {}
  std::optional<std::string> Answer(const std::string& challenge) override {
    if (std::exchange(answered_, true)) return std::nullopt;
    return settings_.authcid + " " +
           openssl::Hex(openssl::Hmac("MD5", settings_.password, challenge));
  }

 private:
  const ClientSettings settings_;
  bool answered_ = false;
};

// EXTERNAL's authzid, ANONYMOUS's trace: one message that proves nothing.
class OneMessageClient final : public SaslClient {
 public:
  explicit OneMessageClient(std::string message) : message_(std::move(message)) {}
  std::optional<std::string> InitialResponse() override { return message_; }
  std::optional<std::string> Answer(const std::string&) override { return std::nullopt; }

 private:
  const std::string message_;
};

}  // namespace

std::unique_ptr<SaslClient> MakeClient(std::string_view mechanism, const ClientSettings& settings) {
  if (mechanism == "PLAIN") return std::make_unique<PlainClient>(settings);
  if (mechanism == "LOGIN") return std::make_unique<LoginClient>(settings);
  if (mechanism == "CRAM-MD5") return std::make_unique<CramMd5Client>(settings);
  if (mechanism == "DIGEST-MD5") return MakeDigestMd5Client(settings);
  if (mechanism == "EXTERNAL") return std::make_unique<OneMessageClient>(settings.authzid);
  if (mechanism == "ANONYMOUS") return std::make_unique<OneMessageClient>(settings.authcid);
  return MakeScramClient(mechanism, settings);
}

}  // namespace sasld
