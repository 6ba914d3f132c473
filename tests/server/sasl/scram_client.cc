#include "tests/server/sasl/scram_client.h"

#include <tuple>

#include "tests/server/sasl/openssl_calls.h"

namespace sasld {
namespace {

struct Algorithm {
  const char* name;  // OpenSSL's
  size_t bytes;
};

// A server that asks for less, or for much more, is not one that an honest client answers.
constexpr int kIterationsLeast = 4096;
constexpr int kIterationsMost = 8192;

std::string Escaped(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    if (c == ',') {
      escaped += "=2C";
    } else if (c == '=') {
      escaped += "=3D";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// RFC 5802 s.5.1: clients may keep what they derived. Fuzzers need it.
std::string SaltedPassword(const Algorithm& algorithm, const std::string& password,
                           const std::string& salt, int iterations) {
  static std::map<std::tuple<std::string, std::string, std::string, int>, std::string> kept;
  const auto key = std::tuple(std::string(algorithm.name), password, salt, iterations);
  if (const auto found = kept.find(key); found != kept.end()) return found->second;
  std::string salted = openssl::Pbkdf2(algorithm.name, password, salt, iterations, algorithm.bytes);
  if (kept.size() < 64) kept[key] = salted;
  return salted;
}

struct ServerFirst {
  std::string nonce;
  std::string salt;
  int iterations = 0;
};

std::optional<ServerFirst> ParseServerFirst(const std::string& message) {
  const size_t s = message.find(",s=");
  const size_t i = message.find(",i=", s == std::string::npos ? s : s + 3);
  if (!message.starts_with("r=") || s == std::string::npos || i == std::string::npos) return {};
  ServerFirst first{message.substr(2, s - 2), openssl::Unbase64(message.substr(s + 3, i - s - 3)),
                    0};
  for (const char c : message.substr(i + 3)) {
    if (c == ',') break;
    if (c < '0' || c > '9' || first.iterations > kIterationsMost) return {};
    first.iterations = 10 * first.iterations + (c - '0');
  }
  const bool fits = first.iterations >= kIterationsLeast && first.iterations <= kIterationsMost;
  return fits && !first.salt.empty() ? std::optional(first) : std::nullopt;
}

class ScramClient final : public SaslClient {
 public:
  ScramClient(const Algorithm& algorithm, const ClientSettings& settings)
      : algorithm_(algorithm),
        settings_(settings),
        gs2_header_(settings.binding_flag + "," +
                    (settings.authzid.empty() ? "" : "a=" + Escaped(settings.authzid)) + ","),
        bare_("n=" + Escaped(settings.authcid) + ",r=" + settings.cnonce +
              settings.first_extensions) {}

  std::optional<std::string> InitialResponse() override { return gs2_header_ + bare_; }

  std::optional<std::string> Answer(const std::string& challenge) override {
    const std::optional<ServerFirst> first = ParseServerFirst(challenge);
    if (!first || !first->nonce.starts_with(settings_.cnonce) || !expected_.empty()) return {};
    std::string cbind_input = gs2_header_;
    if (gs2_header_.starts_with("p=")) cbind_input += settings_.binding_data;
    const std::string without_proof =
        "c=" + openssl::Base64(settings_.cbind_input.value_or(cbind_input)) + ",r=" + first->nonce +
        settings_.nonce_suffix + settings_.final_extensions;
    const std::string auth_message = bare_ + "," + challenge + "," + without_proof;

    const std::string salted =
        SaltedPassword(algorithm_, settings_.password, first->salt, first->iterations);
    std::string proof = openssl::Hmac(algorithm_.name, salted, "Client Key");
    const std::string stored_key = openssl::Digest(algorithm_.name, proof);
    const std::string signature = openssl::Hmac(algorithm_.name, stored_key, auth_message);
    for (size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
    const std::string server_key = openssl::Hmac(algorithm_.name, salted, "Server Key");
    expected_ = "v=" + openssl::Base64(openssl::Hmac(algorithm_.name, server_key, auth_message));
    return without_proof + ",p=" + openssl::Base64(proof);
  }

  bool Believes(const std::optional<std::string>& data) const override {
    return !expected_.empty() && data == expected_;
  }

 private:
  const Algorithm algorithm_;
  const ClientSettings settings_;
  const std::string gs2_header_;
  const std::string bare_;
  std::string expected_;  // server-final
};

}  // namespace

std::unique_ptr<SaslClient> MakeScramClient(std::string_view mechanism,
                                            const ClientSettings& settings) {
  static const auto* algorithms = new std::map<std::string_view, Algorithm>{
      {"SCRAM-SHA-1", {"SHA1", 20}},     {"SCRAM-SHA-224", {"SHA224", 28}},
      {"SCRAM-SHA-256", {"SHA256", 32}}, {"SCRAM-SHA-384", {"SHA384", 48}},
      {"SCRAM-SHA-512", {"SHA512", 64}}, {"SCRAM-SHA3-512", {"SHA3-512", 64}}};
  const bool plus = mechanism.ends_with("-PLUS");
  if (plus) mechanism.remove_suffix(5);
  const auto found = algorithms->find(mechanism);
  if (found == algorithms->end()) return nullptr;
  ClientSettings complete = settings;
  if (complete.binding_flag.empty()) complete.binding_flag = plus ? "p=tls-exporter" : "n";
  return std::make_unique<ScramClient>(found->second, complete);
}

}  // namespace sasld
