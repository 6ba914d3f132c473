// What changes the database, each within a transaction of the caller's. All throw what SQLiteCpp
// throws.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/record_keys.h"
#include "storage/store.h"

namespace sasld {

// As Store::Create, Update, Remove and CreateMany.
absl::StatusOr<Epoch> InsertAccount(SQLite::Database& database, const Account& account,
                                    const RecordKeys& keys);
absl::StatusOr<Epoch> UpdateAccount(SQLite::Database& database, const Account& account,
                                    const RecordKeys& keys);
absl::Status RemoveAccount(SQLite::Database& database, const Username& name);
std::vector<absl::StatusOr<Written>> WriteAccounts(SQLite::Database& database,
                                                   std::span<const Account> accounts,
                                                   IfThere if_there, const RecordKeys& keys);

// As Store::Reseal; DataLoss texts name `path`.
absl::StatusOr<std::string> ResealAccounts(SQLite::Database& database, const std::string& after,
                                           size_t limit, const RecordKeys& keys,
                                           const Store::Amend& amend, const std::string& path);

// Notes the current key as one that records are sealed under. FailedPrecondition: this database was
// sealed under keys that are not among `keys`; the text names `path`.
absl::Status CheckRecordKeys(SQLite::Database& database, const RecordKeys& keys,
                             const std::string& path);

// As CheckRecordKeys, but notes nothing. Whether the current key is noted already.
absl::StatusOr<bool> CheckKnownKeys(SQLite::Database& database, const RecordKeys& keys,
                                    const std::string& path);

// As Store::CountByKey.
std::map<uint32_t, uint64_t> CountRecordsByKey(SQLite::Database& database);

// As Store::ForgetKey.
absl::Status ForgetRecordKey(SQLite::Database& database, uint32_t id);

}  // namespace sasld
