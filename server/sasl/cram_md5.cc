// CRAM-MD5 (RFC 2195): a challenge, and "name SP hex of HMAC-MD5(password, challenge)".
//
// Weak by today's measure: what passes can be tried against a dictionary, and what the server keeps
// is as good as the password. Deviations: the challenge has no clock in it, as randomness alone
// makes it unique; an initial response is refused, there is nothing that it could answer; names are
// prepared as everywhere. There is no authzid.
#include <algorithm>
#include <utility>

#include "server/sasl/password_equivalents.h"
#include "server/sasl/registry.h"

namespace sasld {
namespace {

// The digest in lower-case hexadecimal; nothing if it is not that.
std::optional<std::string> DigestOf(std::string_view hex) {
  if (hex.size() != 2 * kMd5Bytes) return std::nullopt;
  const auto value = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  std::string digest;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = value(hex[i]);
    const int low = value(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest.push_back(static_cast<char>(high << 4 | low));
  }
  return digest;
}

class CramMd5 final : public Mechanism {
 public:
  Outcome Begin(const ConnectionFacts& facts,
                std::optional<std::string_view> initial_response) const override {
    if (initial_response && !initial_response->empty()) {
      return Failure{Reason::kMalformed, "CRAM-MD5 has no initial response"};
    }
    // RFC 2195 s.2: the syntax of an RFC 822 msg-id.
    std::string challenge =
        "<" + facts.server_nonce + "@" + (facts.realm.empty() ? "localhost" : facts.realm) + ">";
    std::string state = challenge;
    return Challenge{std::move(challenge), std::move(state)};
  }

  Outcome Continue(const ConnectionFacts&, std::string_view state,
                   std::string_view response) const override {
    // The last space: a name may hold some.
    const size_t space = response.rfind(' ');
    if (space == std::string_view::npos) return Failure{Reason::kMalformed, "CRAM-MD5 no space"};
    absl::StatusOr<Username> authcid = Username::Prepare(response.substr(0, space));
    if (!authcid.ok()) return Failure{Reason::kMalformed, "CRAM-MD5 user name not acceptable"};
    std::optional<std::string> digest = DigestOf(response.substr(space + 1));
    if (!digest) {
      return Failure{Reason::kMalformed, "CRAM-MD5 digest not in hexadecimal", *authcid};
    }
    EquivalentOf question{*authcid, PasswordEquivalent::kCramMd5, ""};
    return FetchPasswordEquivalent{
        std::move(question),
        [authcid = *std::move(authcid), digest = *std::move(digest),
         challenge = std::string(state)](Secret states) mutable -> Outcome {
          const Secret expected = CramMd5Digest(states, challenge);
          if (!EqualsConstantTime(expected.Reveal(), digest)) {
            return Failure{Reason::kBadCredentials, "CRAM-MD5", std::move(authcid)};
          }
          return Success{Identity{std::move(authcid), std::nullopt}, std::nullopt};
        }};
  }
};

}  // namespace

std::unique_ptr<const Mechanism> MakeCramMd5() { return std::make_unique<CramMd5>(); }

}  // namespace sasld
