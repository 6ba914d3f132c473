// THE LIST of back ends: from a URL's scheme to a constructor.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "storage/store.h"

namespace sasld {

enum class StorePresence {
  kCreateIfMissing,
  kMustExist,  // NotFound where there is no database yet
};

// Opens the store at `url`, brings its schema up to date, and takes it for this process alone.
//   memory:               nothing is kept
//   sqlite:/path/file.db  SQLite in WAL mode
// InvalidArgument: no such scheme, or the path is missing. FailedPrecondition: made by a newer
// version (left untouched), in use by another sasld, or not a database of ours. Unavailable: cannot
// be opened (permissions, folder missing, disk full); the text says which file and what to do.
absl::StatusOr<std::unique_ptr<Store>> OpenStore(std::string_view url, StorePresence presence);

// Whether a database exists at `url`, without opening it. Always false for memory:.
absl::StatusOr<bool> StoreExists(std::string_view url);

}  // namespace sasld
