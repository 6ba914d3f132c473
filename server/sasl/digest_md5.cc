// DIGEST-MD5 (RFC 2831; historic by RFC 6331), for authentication only (qop=auth).
//
// Deviations: no security layers and no subsequent authentication (section 2.2), so a nonce is used
// once and nc is 00000001; one realm, the configured one. The hash is over the name as the account
// has it (prepared, lower case), so a client must spell it so. The host in digest-uri is not looked
// at: a mail server has many names. "submission" and "pop3", as mail servers call their services,
// go as "smtp" and "pop". An empty authzid is taken as none, whether the response is over it, as
// the RFC's text has it, or not, as GNU SASL's client does.
#include <utility>

#include "server/sasl/digest_md5_messages.h"
#include "server/sasl/fields.h"
#include "server/sasl/password_equivalents.h"
#include "server/sasl/registry.h"

namespace sasld {
namespace {

Secret Hex(const Secret& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Secret hex = Secret::Zeros(2 * digest.size());
  char* out = hex.Bytes();
  for (const char c : digest.Reveal()) {
    const auto byte = static_cast<unsigned char>(c);
    *out++ = kDigits[byte >> 4];
    *out++ = kDigits[byte & 15];
  }
  return hex;
}

// The registered name (RFC 4422 section 4) of what a mail server calls its service.
std::string_view RegisteredService(std::string_view service) {
  if (service == "submission") return "smtp";
  if (service == "pop3") return "pop";
  return service;
}

// RFC 2831 s.2.1.2: digest-uri = serv-type "/" host [ "/" serv-name ].
bool IsForService(std::string_view digest_uri, std::string_view service) {
  const size_t slash = digest_uri.find('/');
  if (slash == std::string_view::npos || slash + 1 == digest_uri.size()) return false;
  return service.empty() ||
         RegisteredService(digest_uri.substr(0, slash)) == RegisteredService(service);
}

std::string FromLatin1(std::string_view latin1) {
  std::string utf8;
  for (const char c : latin1) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      utf8.push_back(c);
    } else {
      utf8.push_back(static_cast<char>(0xc0 | byte >> 6));
      utf8.push_back(static_cast<char>(0x80 | (byte & 0x3f)));
    }
  }
  return utf8;
}

// RFC 2831 s.2.1.2.1, the value of "response"; with an empty `method` that of "rspauth" (s.2.1.3).
Secret ResponseValue(const Secret& ha1, const DigestResponse& client, std::string_view method) {
  // A1 = { H(…), ":", nonce-value, ":", cnonce-value, [ ":", authzid-value ] }
  std::string rest = ":" + client.nonce + ":" + client.cnonce;
  if (client.authzid) rest += ":" + *client.authzid;
  const Secret a1 = Secret::Joined(ha1, Secret(rest));
  const std::string a2 = std::string(method) + ":" + client.digest_uri;
  // HEX(H(A1)) ":" nonce-value ":" nc-value ":" cnonce-value ":" qop-value ":" HEX(H(A2))
  std::string tail = ":" + client.nonce + ":" + client.nc + ":" + client.cnonce + ":" + client.qop;
  tail.append(":").append(Hex(Md5(a2)).Reveal());
  return Hex(Md5(Secret::Joined(Hex(Md5(a1.Reveal())), Secret(tail)).Reveal()));
}

std::optional<Failure> CheckAgainstChallenge(const DigestResponse& client, std::string_view nonce,
                                             std::string_view realm, const ConnectionFacts& facts) {
  // RFC 2831 s.2.1.2: the nonce is that of the challenge, or the authentication fails.
  if (client.nonce != nonce) return Failure{Reason::kNonceMismatch, "DIGEST-MD5 nonce"};
  if (client.nc != "00000001") return Failure{Reason::kMalformed, "DIGEST-MD5 nc"};
  if (client.qop != "auth") return Failure{Reason::kMalformed, "DIGEST-MD5 qop not offered"};
  if (client.realm != realm) return Failure{Reason::kBadCredentials, "DIGEST-MD5 realm"};
  if (!IsForService(client.digest_uri, facts.service)) {
    return Failure{Reason::kBadCredentials, "DIGEST-MD5 digest-uri of another service"};
  }
  return std::nullopt;
}

class DigestMd5 final : public Mechanism {
 public:
  Outcome Begin(const ConnectionFacts& facts,
                std::optional<std::string_view> initial_response) const override {
    // RFC 2831 s.2.2: an initial response is for subsequent authentication.
    if (initial_response && !initial_response->empty()) {
      return Failure{Reason::kMalformed, "DIGEST-MD5 subsequent authentication"};
    }
    std::string state;
    AppendField(state, facts.server_nonce);
    AppendField(state, facts.realm);
    return Challenge{PrintDigestChallenge(facts.realm, facts.server_nonce), std::move(state)};
  }

  Outcome Continue(const ConnectionFacts& facts, std::string_view state,
                   std::string_view response) const override {
    const std::optional<std::string_view> nonce = TakeField(state);
    const std::optional<std::string_view> realm = TakeField(state);
    if (!nonce || !realm || !state.empty()) {
      return Failure{Reason::kStateInvalid, "DIGEST-MD5 state of another size"};
    }
    auto parsed = ParseDigestResponse(response);
    if (const auto* error = std::get_if<DigestSyntaxError>(&parsed)) {
      return Failure{Reason::kMalformed, error->detail};
    }
    return TakeResponse(std::move(std::get<DigestResponse>(parsed)), *nonce, *realm, facts);
  }

 private:
  static Outcome TakeResponse(DigestResponse client, std::string_view nonce, std::string_view realm,
                              const ConnectionFacts& facts);
};

Outcome DigestMd5::TakeResponse(DigestResponse client, std::string_view nonce,
                                std::string_view realm, const ConnectionFacts& facts) {
  absl::StatusOr<Username> authcid =
      Username::Prepare(client.is_utf8 ? client.username : FromLatin1(client.username));
  if (!authcid.ok()) return Failure{Reason::kMalformed, "DIGEST-MD5 username not acceptable"};
  Identity identity{*authcid, std::nullopt};
  if (client.authzid && !client.authzid->empty()) {
    absl::StatusOr<Username> authzid = Username::Prepare(*client.authzid);
    if (!authzid.ok()) {
      return Failure{Reason::kMalformed, "DIGEST-MD5 authzid not acceptable", *authcid};
    }
    identity.authzid = *std::move(authzid);
  }
  if (auto failure = CheckAgainstChallenge(client, nonce, realm, facts)) {
    failure->authcid = *authcid;
    return *std::move(failure);
  }
  EquivalentOf question{*std::move(authcid), PasswordEquivalent::kDigestMd5, std::string(realm)};
  return FetchPasswordEquivalent{
      std::move(question),
      [client = std::move(client), identity = std::move(identity)](Secret ha1) mutable -> Outcome {
        const auto matches = [&ha1, &client] {
          const Secret expected = ResponseValue(ha1, client, "AUTHENTICATE");
          return EqualsConstantTime(expected.Reveal(), client.response);
        };
        bool right = matches();
        if (!right && client.authzid && client.authzid->empty()) {
          client.authzid.reset();
          right = matches();
        }
        // What is no digest, an empty one most of all, is one that a client can know.
        if (ha1.size() != kMd5Bytes || !right) {
          return Failure{Reason::kBadCredentials, "DIGEST-MD5", std::move(identity.authcid)};
        }
        std::string rspauth("rspauth=");
        rspauth.append(ResponseValue(ha1, client, "").Reveal());
        return Success{std::move(identity), std::move(rspauth)};
      }};
}

}  // namespace

std::unique_ptr<const Mechanism> MakeDigestMd5() { return std::make_unique<DigestMd5>(); }

}  // namespace sasld
