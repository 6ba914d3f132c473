// The schema's history: numbered steps, applied in order, each in the transaction that raises the
// version.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace sasld {

// PRAGMA application_id of our databases: "SASL".
inline constexpr uint32_t kApplicationId = 0x5341534c;

// PRAGMA user_version that this program writes.
uint32_t CurrentSchemaVersion();

// FailedPrecondition: version or application id are not ones that this program can work with.
absl::Status CheckSchema(const std::string& path, uint32_t application_id, uint32_t version);

// Brings a checked database up to date. Throws what SQLiteCpp throws.
void Migrate(SQLite::Database& database);

}  // namespace sasld
