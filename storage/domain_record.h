// A domain as bytes, all but its name and epoch: as account_record.h has it of accounts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/sasl/secret.h"
#include "storage/store.h"

namespace sasld {

// Internal: it has no name, by which it could not be told from none.
absl::Status CheckDomain(const Domain& domain);

// Whether `domain` may be written where the one of its name has the epoch `stored`, or there is
// none: errors as Store::PutDomain.
absl::Status CheckOverwrites(const Domain& domain, std::optional<Epoch> stored);

Secret PrintDomainRecord(const Domain& domain);

// DataLoss: the bytes make no sense. Texts name nobody.
absl::StatusOr<Domain> ParseDomainRecord(std::string name, Epoch epoch, std::string_view record);

}  // namespace sasld
