// The care of the database file: owned alone, recognised before it is touched, opened with our
// settings.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/open.h"
#include "storage/sqlite/mapped_file.h"

namespace sasld {

// Holds the file for this process until it is destroyed; must outlive every connection, since
// closing any descriptor of the file drops SQLite's own locks on it.
class DatabaseFile {
 public:
  // Errors as OpenStore. A new file is empty and has mode 0600; SQLite gives -wal and -shm the
  // same.
  static absl::StatusOr<std::unique_ptr<DatabaseFile>> Take(const std::string& path,
                                                            StorePresence presence);
  // Of a file that is there, to read only, beside others who do the same. FailedPrecondition: in
  // use by a sasld, or no database.
  static absl::StatusOr<std::unique_ptr<DatabaseFile>> TakeToRead(const std::string& path);
  ~DatabaseFile();
  DatabaseFile(const DatabaseFile&) = delete;
  DatabaseFile& operator=(const DatabaseFile&) = delete;

  // Absolute, so that SQLite takes it for a file whatever its name.
  const std::string& path() const { return path_; }

  // A connection that changes nothing, not even when it is closed, until SetUpWriting(). Both throw
  // what SQLiteCpp throws.
  SQLite::Database OpenWriter() const;
  static void SetUpWriting(SQLite::Database& database);
  // A connection that may only read. Throws what SQLiteCpp throws.
  SQLite::Database OpenReader() const;

  // What an exception of SQLiteCpp means, in words. `database`: the connection that met it, if
  // there is one; it knows the system's reason.
  absl::Status StatusOf(const SQLite::Exception& exception, const SQLite::Database* database) const;

 private:
  DatabaseFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  const std::string path_;
  const int fd_;
  mutable MappedFile mapped_{fd_};
};

// Whether there is a database file with anything in it. Unavailable: that cannot be told.
absl::StatusOr<bool> DatabaseFileExists(const std::string& path);

}  // namespace sasld
