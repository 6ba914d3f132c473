// What is read of accounts, each on a reader of the caller's. All throw what SQLiteCpp throws.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/record_keys.h"
#include "storage/sqlite/reader.h"
#include "storage/store.h"

namespace sasld {

// As Store::Find. `any_domain`: there may be domains; else the account comes without its own, for
// less. DataLoss texts name `path`.
absl::StatusOr<Account> FindAccount(Reader& reader, const Username& name, bool any_domain,
                                    const RecordKeys& keys, const std::string& path);

// As Store::List.
absl::StatusOr<std::vector<Account>> ListAccounts(Reader& reader, const AccountQuery& query,
                                                  const RecordKeys& keys, const std::string& path);

}  // namespace sasld
