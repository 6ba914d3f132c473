// EXTERNAL (RFC 4422 appendix A): who the client is was proved outside of SASL, by the certificate
// of its TLS connection.
//
// Deviations: names are prepared as everywhere (SASLprep, lower case), and an authzid that cannot
// be prepared is refused.
#include <utility>

#include "server/sasl/one_message.h"
#include "server/sasl/registry.h"

namespace sasld {
namespace {

// RFC 4422 s.A.1: an empty message asks to act as the identity that the external credentials yield.
Outcome TakeMessage(const ConnectionFacts& facts, std::string_view message) {
  std::optional<Username> authzid;
  if (!message.empty()) {
    absl::StatusOr<Username> prepared = Username::Prepare(message);
    if (!prepared.ok()) return Failure{Reason::kMalformed, "EXTERNAL authzid not acceptable"};
    authzid = *std::move(prepared);
  }
  if (!facts.certificate) return Failure{Reason::kBadCredentials, "EXTERNAL without a certificate"};
  return IdentifyCertificate{
      *facts.certificate,
      [authzid = std::move(authzid)](std::optional<Username> authcid) mutable -> Outcome {
        if (!authcid) return Failure{Reason::kBadCredentials, "certificate of nobody known"};
        return Success{Identity{*std::move(authcid), std::move(authzid)}, std::nullopt};
      }};
}

}  // namespace

std::unique_ptr<const Mechanism> MakeExternal() {
  return std::make_unique<OneMessage>(TakeMessage);
}

}  // namespace sasld
