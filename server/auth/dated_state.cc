#include "server/auth/dated_state.h"

#include "server/sasl/fields.h"

namespace sasld {

std::string BindingOf(std::string_view mechanism, const ConnectionFacts& facts) {
  std::string binding;
  binding.reserve(128);
  for (const std::string_view field :
       {mechanism, std::string_view(facts.service), std::string_view(facts.remote_ip),
        std::string_view(facts.local_ip)}) {
    AppendField(binding, field);
  }
  AppendNumber(binding, facts.remote_port);
  AppendNumber(binding, facts.local_port);
  AppendNumber(binding,
               (facts.secured ? 1 : 0) + (facts.can_bind ? 2 : 0) + (facts.certificate ? 4 : 0));
  if (facts.certificate) {
    const ClientCertificate& certificate = *facts.certificate;
    AppendField(binding, certificate.sha256_fingerprint);
    AppendField(binding, certificate.common_name);
    AppendField(binding, certificate.username);
    for (const std::string& email : certificate.emails) AppendField(binding, email);
  }
  return binding;
}

std::string WithExpiry(absl::Time expiry, std::string_view state) {
  std::string dated;
  AppendNumber(dated, static_cast<uint64_t>(absl::ToUnixMillis(expiry)));
  return dated.append(state);
}

std::optional<DatedState> IfNotExpired(std::string_view dated, absl::Time now) {
  const std::optional<uint64_t> milliseconds = TakeNumber(dated);
  if (!milliseconds) return std::nullopt;
  const absl::Time expiry = absl::FromUnixMillis(static_cast<int64_t>(*milliseconds));
  if (now >= expiry) return std::nullopt;
  return DatedState{dated, expiry};
}

}  // namespace sasld
