// The store in one SQLite file (WAL mode), owned by one process.
//
// Reads use kept read transactions (reader.h): a read costs no file lock and no system call. They
// are renewed when our own writer has committed, which is sound because nobody else may write: the
// file is locked (flock). Writes take one connection in turn, and are synced before they return.
#pragma once

#include <memory>
#include <string>

#include "storage/open.h"
#include "storage/store.h"

namespace sasld {

// See OpenStore. `path` is the database file; -wal and -shm files appear beside it.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path,
                                                       StorePresence presence,
                                                       const RecordKeys& keys);
// The write-ahead log is folded back once it has `fold_pages` pages. For tests, which have it done
// often.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path,
                                                       StorePresence presence,
                                                       const RecordKeys& keys, int fold_pages);

// Whether there is a database file with anything in it. Unavailable: that cannot be told.
absl::StatusOr<bool> SqliteStoreExists(const std::string& path);

}  // namespace sasld
