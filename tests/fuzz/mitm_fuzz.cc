// A man in the middle of an honest SCRAM-SHA-256 exchange. Success if, and only if, nothing was
// changed.
//
// The mechanism's state is sealed as the server does it, and passes through the same hands.
#include <fuzzer/FuzzedDataProvider.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <string>

#include "server/sasl/base64.h"
#include "server/sasl/registry.h"
#include "server/sasl/sealed_state.h"
#include "tests/fuzz/support.h"

namespace {

using sasld::fuzz::Require;

constexpr std::string_view kPassword = "pencil";
constexpr std::string_view kSalt = "0123456789abcdef";
constexpr uint32_t kIterations = 4096;
constexpr std::string_view kClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kBinding = "SCRAM-SHA-256 smtp 192.0.2.1";

// Changes some of the messages that pass; knows whether it did.
class Middleman {
 public:
  explicit Middleman(FuzzedDataProvider& input) : input_(input) {}

  std::string Pass(std::string message) {
    const std::string before = message;
    while (input_.remaining_bytes() > 0 && input_.ConsumeBool()) Change(message);
    if (message != before) touched_ = true;
    return message;
  }
  bool touched() const { return touched_; }

 private:
  void Change(std::string& message) {
    const size_t at = input_.ConsumeIntegralInRange<size_t>(0, message.size());
    switch (input_.ConsumeIntegralInRange<int>(0, 4)) {
      case 0:
        message.erase(at, input_.ConsumeIntegralInRange<size_t>(0, 8));
        break;
      case 1:
        message.insert(at, input_.ConsumeRandomLengthString(16));
        break;
      case 2:
        if (at < message.size()) message[at] = static_cast<char>(input_.ConsumeIntegral<uint8_t>());
        break;
      case 3:
        if (at < message.size()) message[at] = static_cast<char>(message[at] ^ 0x20);
        break;
      default:
        message += message.substr(at, 16);
        break;
    }
  }

  FuzzedDataProvider& input_;
  bool touched_ = false;
};

std::string SaltedPassword() {
  std::string salted(SHA256_DIGEST_LENGTH, '\0');
  PKCS5_PBKDF2_HMAC(kPassword.data(), static_cast<int>(kPassword.size()),
                    reinterpret_cast<const unsigned char*>(kSalt.data()),
                    static_cast<int>(kSalt.size()), static_cast<int>(kIterations), EVP_sha256(),
                    static_cast<int>(salted.size()),
                    reinterpret_cast<unsigned char*>(salted.data()));
  return salted;
}

std::string Hmac(std::string_view key, std::string_view message) {
  return std::string(sasld::ScramHmac(sasld::ScramHash::kSha256, key, message).Reveal());
}

// The client's last message, as an honest client answers what it got. A server-first with another
// salt or count still gets the salted password of the right one: the signature fails all the same.
std::string ClientFinal(std::string_view server_first, std::string_view salted,
                        std::string& server_signature) {
  const std::string_view nonce = server_first.substr(0, server_first.find(','));
  const std::string without_proof = "c=biws," + std::string(nonce);
  const std::string auth_message =
      std::string(kClientFirst.substr(3)) + "," + std::string(server_first) + "," + without_proof;
  std::string proof = Hmac(salted, "Client Key");
  std::string stored_key(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(proof.data()), proof.size(),
         reinterpret_cast<unsigned char*>(stored_key.data()));
  const std::string signature = Hmac(stored_key, auth_message);
  for (size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
  server_signature = "v=" + sasld::EncodeBase64(Hmac(Hmac(salted, "Server Key"), auth_message));
  return without_proof + ",p=" + sasld::EncodeBase64(proof);
}

// Plays it out. Whether the server let the client in, and the client believed the server.
struct Verdicts {
  bool server = false;
  bool client = false;
};

Verdicts Play(Middleman& between, const sasld::ScramKeys& keys, std::string_view salted) {
  static const std::unique_ptr<const sasld::Mechanism> scram = sasld::MakeScramSha256();
  static const sasld::StateSealer sealer(sasld::Secret(std::string(32, 'k')),
                                         std::string(sasld::kStateSaltBytes, 's'));
  const sasld::ConnectionFacts facts = sasld::fuzz::ExampleFacts();
  const auto settle = [&keys](sasld::Outcome outcome) {
    return sasld::fuzz::Settle(std::move(outcome), sasld::PasswordVerdict::kNoMatch, keys);
  };

  const std::string client_first = between.Pass(std::string(kClientFirst));
  const sasld::Outcome first = settle(scram->Begin(facts, client_first));
  const auto* challenge = std::get_if<sasld::Challenge>(&first);
  if (challenge == nullptr) return {};
  const std::string sealed = between.Pass(sealer.Seal(1, kBinding, challenge->state));
  const std::string server_first = between.Pass(challenge->data);

  std::string server_signature;
  const std::string client_final =
      between.Pass(ClientFinal(server_first, salted, server_signature));
  const std::optional<std::string> state = sealer.Open(kBinding, sealed);
  if (!state.has_value()) return {};
  const sasld::Outcome last = settle(scram->Continue(facts, *state, client_final));
  const auto* success = std::get_if<sasld::Success>(&last);
  if (success == nullptr) return {};
  Require(success->identity.authcid.str() == "user" && !success->identity.authzid.has_value(),
          "who is let in is who asked");
  Require(success->data.has_value(), "success carries the server's signature");
  Require(!between.touched(), "nobody is let in by changed messages");
  return {true, between.Pass(*success->data) == server_signature};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string salted = SaltedPassword();
  static const sasld::ScramKeys keys = sasld::DeriveScramKeys(
      sasld::ScramHash::kSha256, sasld::Secret(kPassword), kSalt, kIterations);
  FuzzedDataProvider input(data, size);
  Middleman between(input);
  const Verdicts verdicts = Play(between, keys, salted);
  Require(verdicts.server || between.touched(), "an untouched exchange succeeds");
  Require(verdicts.client == (verdicts.server && !between.touched()),
          "the client believes an untouched signature only");
  return 0;
}
