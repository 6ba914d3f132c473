// PLAIN (RFC 4616).
//
// Deviations: names are lower-cased after SASLprep, and authcid is limited to 255 bytes when
// prepared, passwd to 1024. A passwd that is not UTF-8 is read as Windows-1252.
#include <utility>

#include "server/sasl/one_message.h"
#include "server/sasl/registry.h"
#include "server/sasl/saslprep.h"

namespace sasld {
namespace {

// message = [authzid] UTF8NUL authcid UTF8NUL passwd
Outcome TakeMessage(const ConnectionFacts&, std::string_view message) {
  const size_t first_nul = message.find('\0');
  if (first_nul == std::string_view::npos) return Failure{Reason::kMalformed, "PLAIN without NUL"};
  const size_t second_nul = message.find('\0', first_nul + 1);
  if (second_nul == std::string_view::npos) {
    return Failure{Reason::kMalformed, "PLAIN with one NUL only"};
  }
  const std::string_view authzid = message.substr(0, first_nul);
  const std::string_view authcid = message.substr(first_nul + 1, second_nul - first_nul - 1);
  const std::string_view passwd = message.substr(second_nul + 1);

  // RFC 4616 s.2: the server SHALL prepare authcid and passwd; if that fails or yields an empty
  // string, the verification SHALL fail.
  absl::StatusOr<Username> prepared_authcid = Username::Prepare(authcid);
  if (!prepared_authcid.ok()) return Failure{Reason::kMalformed, "PLAIN authcid not acceptable"};
  std::optional<Username> prepared_authzid;
  if (!authzid.empty()) {
    absl::StatusOr<Username> prepared = Username::Prepare(authzid);
    if (!prepared.ok()) {
      return Failure{Reason::kMalformed, "PLAIN authzid not acceptable", *prepared_authcid};
    }
    prepared_authzid = *std::move(prepared);
  }
  absl::StatusOr<Secret> password = PrepareClientPassword(passwd);
  if (!password.ok()) {
    return Failure{Reason::kMalformed, "PLAIN passwd not acceptable", *prepared_authcid};
  }

  Identity identity{*prepared_authcid, std::move(prepared_authzid)};
  return CheckPassword{
      PasswordClaim{*std::move(prepared_authcid), *std::move(password)},
      [identity = std::move(identity)](PasswordVerdict verdict) mutable -> Outcome {
        if (verdict == PasswordVerdict::kMatch) return Success{std::move(identity), std::nullopt};
        return Failure{Reason::kBadCredentials, "PLAIN", std::move(identity.authcid)};
      }};
}

}  // namespace

std::unique_ptr<const Mechanism> MakePlain() { return std::make_unique<OneMessage>(TakeMessage); }

}  // namespace sasld
