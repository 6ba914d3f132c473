// THE LIST of back ends: from a URL's scheme to a constructor.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "storage/record_keys.h"
#include "storage/store.h"

namespace sasld {

enum class StorePresence {
  kCreateIfMissing,
  kMustExist,  // NotFound where there is no database yet
};

// Opens the store at `url`, brings its schema up to date, and takes it for this process alone. What
// it writes to a disk is sealed under `keys`, of which there must be one, and which must outlive
// it.
//   memory:               nothing is kept
//   sqlite:/path/file.db  SQLite in WAL mode
// InvalidArgument: no such scheme, or the path is missing. FailedPrecondition: made by a newer
// version (left untouched), in use by another sasld, not a database of ours, or sealed under keys
// that are not the ones given. Unavailable: cannot be opened (permissions, folder missing, disk
// full); the text says which file and what to do.
absl::StatusOr<std::unique_ptr<Store>> OpenStore(std::string_view url, StorePresence presence,
                                                 const RecordKeys& keys);

// What OpenStore would say of the URL's text alone: InvalidArgument, or nothing.
absl::Status CheckStoreUrl(std::string_view url);

// Whether a backup of the store at `url`, the file `path`, could take its place: reads all of it
// and changes nothing. Returns how many accounts it has, each of which opens under `keys`.
// NotFound: there is no such file. FailedPrecondition: not a database of ours and of this version,
// in use by a sasld, sealed under other keys, or a store without backups. DataLoss: it is damaged.
absl::StatusOr<uint64_t> CheckBackup(std::string_view url, const std::string& path,
                                     const RecordKeys& keys);

// Whether a database exists at `url`, without opening it. Always false for memory:.
absl::StatusOr<bool> StoreExists(std::string_view url);

}  // namespace sasld
