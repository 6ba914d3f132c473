// The schema's history: numbered steps, applied in order, each in the transaction that raises the
// version.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "storage/record_keys.h"

namespace sasld {

// PRAGMA application_id of our databases: "SASL".
inline constexpr uint32_t kApplicationId = 0x5341534c;

// PRAGMA user_version that this program writes.
uint32_t CurrentSchemaVersion();

// FailedPrecondition: version or application id are not ones that this program can work with.
absl::Status CheckSchema(const std::string& path, uint32_t application_id, uint32_t version);

// Brings a checked database up to date. DataLoss: an account makes no sense; the step that met it
// was not done. Throws what SQLiteCpp throws.
absl::Status Migrate(SQLite::Database& database, const RecordKeys& keys, const std::string& path);

}  // namespace sasld
