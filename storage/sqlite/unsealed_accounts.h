// Accounts as they were kept before they were sealed: verifiers in columns of their own.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

#include "absl/status/status.h"
#include "storage/record_keys.h"

namespace sasld {

// Copies all of table unsealed_account, which is schema 2's account, into table account. DataLoss:
// one makes no sense; the text names `path`. Throws what SQLiteCpp throws.
absl::Status SealAccounts(SQLite::Database& database, const RecordKeys& keys,
                          const std::string& path);

}  // namespace sasld
