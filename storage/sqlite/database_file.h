// The care of the database file: owned alone, recognised before it is touched, opened with our settings.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/open.h"

namespace sasld {

// Holds the file for this process until it is destroyed; must outlive every connection, since closing
// any descriptor of the file drops SQLite's own locks on it.
class DatabaseFile {
 public:
  // Errors as OpenStore. A new file is empty and has mode 0600.
  static absl::StatusOr<std::unique_ptr<DatabaseFile>> Take(const std::string& path,
                                                            StorePresence presence);
  ~DatabaseFile();
  DatabaseFile(const DatabaseFile&) = delete;
  DatabaseFile& operator=(const DatabaseFile&) = delete;

  // Throw what SQLiteCpp throws.
  std::unique_ptr<SQLite::Database> OpenWriter() const;
  std::unique_ptr<SQLite::Database> OpenReader() const;

  // What an exception of SQLiteCpp means, in words.
  absl::Status StatusOf(const SQLite::Exception& exception) const;

 private:
  DatabaseFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  const std::string path_;
  const int fd_;
};

}  // namespace sasld
