// The table of domains: as rows.h and writes.h have it of accounts. All throw what SQLiteCpp
// throws.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/record_keys.h"
#include "storage/store.h"

namespace sasld {

// The domain in three columns of the row that `statement` stands on, from `first` on: name, epoch,
// record. DataLoss: they make no sense; the text names `path`, the database's.
absl::StatusOr<Domain> ReadDomain(SQLite::Statement& statement, int first, const RecordKeys& keys,
                                  const std::string& path);

// As Store::FindDomain and ListDomains.
absl::StatusOr<Domain> FindDomain(SQLite::Database& database, std::string_view name,
                                  const RecordKeys& keys, const std::string& path);
absl::StatusOr<std::vector<Domain>> ListDomains(SQLite::Database& database, std::string_view after,
                                                size_t limit, const RecordKeys& keys,
                                                const std::string& path);

// As Store::PutDomain and RemoveDomain, within a transaction of the caller's.
absl::StatusOr<Epoch> PutDomain(SQLite::Database& database, const Domain& domain,
                                const RecordKeys& keys);
absl::Status RemoveDomain(SQLite::Database& database, std::string_view name);

// Seals all anew, within a transaction of the caller's, that are not sealed under the current key.
// Those that cannot be read are left as they are.
void ResealDomains(SQLite::Database& database, const RecordKeys& keys, const std::string& path);

// Whether each of them opens. DataLoss: one does not.
absl::Status OpenEachDomain(SQLite::Database& database, const RecordKeys& keys,
                            const std::string& path);

}  // namespace sasld
