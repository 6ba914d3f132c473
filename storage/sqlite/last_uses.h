// Table last_use: when somebody got in last by each credential. All throw what SQLiteCpp throws.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/record_keys.h"
#include "storage/store.h"

namespace sasld {

// As Store::NoteUses, within a transaction of the caller's. DataLoss texts name `path`.
absl::Status WriteUses(SQLite::Database& database, const std::vector<Use>& uses,
                       const RecordKeys& keys, const std::string& path);

// As Store::UsesOf.
std::map<std::string, LastUse> ReadUses(SQLite::Database& database, const Username& name);

// Forgets the uses of app passwords that `account` has not any more; within the transaction that
// writes it.
void DropUsesOfRevoked(SQLite::Database& database, const Account& account);

}  // namespace sasld
