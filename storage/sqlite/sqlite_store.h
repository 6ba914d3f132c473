// The store in one SQLite file (WAL mode), owned by one process.
//
// Reads use kept read transactions: a read costs no file lock and no system call. They are renewed when our own
// writer has committed, which is sound because nobody else may write: the file is locked (flock).
#pragma once

#include <memory>
#include <string>

#include "storage/open.h"
#include "storage/store.h"

namespace sasld {

// See OpenStore. `path` is the database file; -wal and -shm files appear beside it.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path,
                                                       StorePresence presence);

// Whether there is a database file with anything in it.
absl::StatusOr<bool> SqliteStoreExists(const std::string& path);

}  // namespace sasld
