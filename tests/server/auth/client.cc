#include "tests/server/auth/client.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <map>

#include "absl/strings/escaping.h"
#include "server/sasl/base64.h"

namespace sasld {
namespace {

constexpr char kClientNonce[] = "fyko+d2lbbFgONRv9qkxdawL";

std::string Md5Hex(std::string_view message) {
  unsigned char digest[16];
  size_t size = 0;
  EVP_Q_digest(nullptr, "MD5", nullptr, message.data(), message.size(), digest, &size);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest), size});
}

// What `message` has between the first `before` and the next `after`.
std::string Between(std::string_view message, std::string_view before, std::string_view after) {
  const size_t begin = message.find(before) + before.size();
  return std::string(message.substr(begin, message.find(after, begin) - begin));
}

const RegisteredMechanism& Registered(std::string_view name) { return *FindMechanism(name); }

}  // namespace

bool LooksUserUp(const RegisteredMechanism& mechanism) {
  switch (mechanism.verifier) {
    case Verifier::kPassword:
    case Verifier::kScram:
    case Verifier::kCramMd5:
    case Verifier::kDigestMd5:
      return true;
    case Verifier::kCertificate:
    case Verifier::kNone:
      return false;
  }
  return true;
}

bool HasAuthzid(const RegisteredMechanism& mechanism) {
  return mechanism.name != "LOGIN" && mechanism.name != "CRAM-MD5" && mechanism.name != "ANONYMOUS";
}

bool ServerSpeaksFirst(const RegisteredMechanism& mechanism) {
  return mechanism.name == "LOGIN" || mechanism.name == "CRAM-MD5" ||
         mechanism.name == "DIGEST-MD5";
}

ExchangePolicy EveryMechanism() {
  ExchangePolicy policy = Parts::DefaultPolicy();
  policy.mechanisms.clear();
  for (const RegisteredMechanism& mechanism : AllMechanisms()) {
    policy.mechanisms.emplace_back(mechanism.name);
  }
  policy.realm = "example.org";
  policy.proxies = {Username::Prepare("boss").value()};
  policy.certificates.names = {CertificateName::kEmail};
  policy.anonymous = Username::Prepare("anonymous").value();
  return policy;
}

std::string Client::Gs2Header() const {
  std::string flag = gs2_flag;
  if (flag.empty()) {
    flag = Registered(mechanism).properties.channel_binding ? "p=tls-exporter" : "n";
  }
  return flag + "," + (authzid.empty() ? "" : "a=" + authzid) + ",";
}

std::optional<std::string> Client::First() {
  const RegisteredMechanism& registered = Registered(mechanism);
  if (ServerSpeaksFirst(registered)) return std::nullopt;
  switch (registered.verifier) {
    case Verifier::kScram:
      return Gs2Header() + "n=" + name + ",r=" + kClientNonce;
    case Verifier::kCertificate:
      return authzid;
    case Verifier::kNone:
      return name;
    default:
      return authzid + '\0' + name + '\0' + password;
  }
}

std::string Client::Answer(std::string_view challenge) {
  ++answers;
  switch (Registered(mechanism).verifier) {
    case Verifier::kScram:
      return ScramAnswer(challenge);
    case Verifier::kCramMd5:
      return CramAnswer(challenge);
    case Verifier::kDigestMd5:
      return DigestAnswer(challenge);
    default:
      return answers == 1 ? name : password;  // LOGIN
  }
}

std::string Client::ScramAnswer(std::string_view server_first) const {
  const Hash hash = Registered(mechanism).hash;
  std::string binding = Gs2Header();
  if (binding.starts_with("p=")) binding += binding_data;
  const std::string without_proof =
      "c=" + EncodeBase64(binding) + ",r=" + Between(server_first, "r=", ",");
  const std::string auth_message =
      "n=" + name + ",r=" + kClientNonce + "," + std::string(server_first) + "," + without_proof;
  // ClientProof = ClientKey XOR HMAC(StoredKey, AuthMessage).
  const Secret salted =
      Pbkdf2(hash, password, DecodeBase64(Between(server_first, ",s=", ",")).value(),
             static_cast<uint32_t>(std::stoul(Between(server_first, ",i=", ","))));
  Secret proof = Hmac(hash, salted.Reveal(), "Client Key");
  const Secret stored_key = Digest(hash, proof.Reveal());
  const Secret signature = Hmac(hash, stored_key.Reveal(), auth_message);
  for (size_t b = 0; b < proof.size(); ++b) proof.Bytes()[b] ^= signature.Reveal()[b];
  return without_proof + ",p=" + EncodeBase64(proof.Reveal());
}

std::string Client::CramAnswer(std::string_view challenge) const {
  unsigned char mac[16];
  size_t size = 0;
  EVP_Q_mac(nullptr, "HMAC", nullptr, "MD5", nullptr, password.data(), password.size(),
            reinterpret_cast<const unsigned char*>(challenge.data()), challenge.size(), mac,
            sizeof mac, &size);
  return name + " " + absl::BytesToHexString({reinterpret_cast<const char*>(mac), size});
}

// RFC 2831 section 2.1.2.1.
std::string Client::DigestAnswer(std::string_view challenge) const {
  const std::string nonce = Between(challenge, "nonce=\"", "\"");
  const std::string ha1 = absl::HexStringToBytes(Md5Hex(name + ":" + realm + ":" + password));
  std::string a1 = ha1 + ":" + nonce + ":" + kClientNonce;
  if (!authzid.empty()) a1 += ":" + authzid;
  const std::string a2 = "AUTHENTICATE:smtp/mail.example.org";
  const std::string response =
      Md5Hex(Md5Hex(a1) + ":" + nonce + ":00000001:" + kClientNonce + ":auth:" + Md5Hex(a2));
  std::string message = "charset=utf-8,username=\"" + name + "\",realm=\"" + realm + "\",nonce=\"" +
                        nonce + "\",nc=00000001,cnonce=\"" + kClientNonce +
                        "\",digest-uri=\"smtp/mail.example.org\",response=" + response +
                        ",qop=auth";
  if (!authzid.empty()) message += ",authzid=\"" + authzid + "\"";
  return message;
}

StepInput StepOf(const Client& client, std::optional<std::string> response, std::string state) {
  StepInput input = FirstStep(std::string(client.mechanism), "");
  input.response = std::monostate();
  if (response) input.response = *std::move(response);
  input.state = std::move(state);
  input.facts.remote_port = 40000;
  input.facts.local_port = 465;
  input.facts.can_bind = true;
  input.facts.certificate =
      ClientCertificate{std::string(32, 'f'), "Alice", {"alice@example.org"}, "alice"};
  return input;
}

Dialogue PlayToTheLastStep(Parts& parts, Client client) {
  const RegisteredMechanism& registered = Registered(client.mechanism);
  const size_t challenges = client.mechanism == "LOGIN"               ? 2
                            : registered.verifier == Verifier::kScram ? 1
                            : ServerSpeaksFirst(registered)           ? 1
                                                                      : 0;
  Dialogue dialogue;
  dialogue.last = StepOf(client, client.First());
  while (dialogue.challenges.size() < challenges) {
    StepResult result = parts.Step(dialogue.last);
    const auto* next = std::get_if<ContinueWith>(&result);
    EXPECT_NE(next, nullptr) << "the exchange does not go on: variant " << result.index();
    if (next == nullptr) break;
    dialogue.last = StepOf(client, client.Answer(next->data), next->sealed_state);
    if (!next->channel_binding_type.empty()) {
      dialogue.last.facts.channel_bindings = {{"tls-unique", "of another type"},
                                              {next->channel_binding_type, client.binding_data}};
    }
    dialogue.challenges.push_back(*next);
  }
  return dialogue;
}

Dialogue Play(Parts& parts, Client client) {
  Dialogue dialogue = PlayToTheLastStep(parts, std::move(client));
  dialogue.end = parts.Step(dialogue.last);
  return dialogue;
}

}  // namespace sasld
