#include "server/auth/claim_mac.h"

#include <algorithm>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "server/sasl/fields.h"
#include "server/sasl/hash.h"

namespace sasld {

ClaimMac::Value ClaimMac::Of(const PasswordClaim& claim, std::string_view service,
                             uint64_t account_epoch) const {
  std::string message;
  const absl::Cleanup wiper = [&message] { WipeMemory(message.data(), message.size()); };
  // At once, as growing would leave the password in memory that is given back.
  message.reserve(4 * sizeof(uint64_t) + claim.authcid.str().size() + service.size() +
                  claim.password.size());
  AppendField(message, claim.authcid.str());
  AppendNumber(message, account_epoch);
  AppendField(message, service);
  AppendField(message, claim.password.Reveal());
  const Secret hmac = Hmac(Hash::kSha256, key_.Reveal(), message);
  Value mac;
  std::copy_n(hmac.Reveal().begin(), mac.size(), mac.begin());
  return mac;
}

}  // namespace sasld
