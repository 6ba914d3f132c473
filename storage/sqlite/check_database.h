// Whether a database that no sasld has in use, such as a backup, could take its place.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "storage/record_keys.h"
#include "storage/store.h"

namespace sasld {

// Reads all of it, and changes nothing: SQLite's own check, then each account, which must open
// under `keys`. Returns how many there are. Texts name the file and never a user. NotFound: there
// is no such file. FailedPrecondition: not ours, of another version, in use, or sealed under keys
// that are not the ones given. DataLoss: it is damaged. Cancelled: `watch` said so.
absl::StatusOr<uint64_t> CheckDatabase(const std::string& path, const RecordKeys& keys,
                                       const BackupWatch& watch);

}  // namespace sasld
