// An account as bytes, all but its name and epoch: what is sealed and stored.
//
// A sequence of fields, each a tag (one byte), the length of its value (LEB128) and the value. What
// is empty or by default is left out. An unknown tag makes no sense: the schema's version tells
// which there may be.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "storage/store.h"

namespace sasld {

Secret PrintAccountRecord(const Account& account);

// Internal: a part of it has a shape that it could not be read back with; never store that.
absl::Status CheckAccount(const Account& account);

// DataLoss: the bytes make no sense. Texts name nobody.
absl::StatusOr<Account> ParseAccountRecord(Username name, Epoch epoch, std::string_view record);

}  // namespace sasld
