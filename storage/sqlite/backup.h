// A copy of a database in use, by SQLite's online backup.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/store.h"

struct sqlite3_backup;

namespace sasld {

// A file that grows into a backup beside `path`, as `path` + ".draft", and is gone with this object
// unless it was published. Mode 0600. Not thread-safe; methods throw what SQLiteCpp throws.
class BackupDraft {
 public:
  // InvalidArgument: not an absolute path. AlreadyExists: there is something at `path`, or a draft
  // that another backup left. Unavailable: it cannot be made; texts say why and what to do.
  static absl::StatusOr<std::unique_ptr<BackupDraft>> Make(const std::string& path);
  ~BackupDraft();
  BackupDraft(const BackupDraft&) = delete;
  BackupDraft& operator=(const BackupDraft&) = delete;

  const std::string& draft() const { return draft_; }

  // Copies some pages of `source`, and tells in `progress` how far it is; true: that was all.
  // What others write to `source` between two calls is copied too, so the copy is as the source is
  // at the end; that takes that all writes come through this connection. Nobody may use the
  // connection while this runs. Unavailable: cannot be written, such as for a full disk.
  absl::StatusOr<bool> CopySome(SQLite::Database& source, BackupProgress& progress);
  // Lets go of `source`; as CopySome. Needed if CopySome was not called to its end.
  void Abandon();

  // Makes the copy one file, as SQLite leaves a database that nobody uses, and brings it to disk.
  absl::Status Complete();
  // Gives it its name. AlreadyExists: somebody else took it.
  absl::Status Publish();

 private:
  explicit BackupDraft(const std::string& path) : path_(path), draft_(path + ".draft") {}
  absl::Status CannotWrite(int code) const;

  const std::string path_;
  const std::string draft_;
  bool published_ = false;
  std::unique_ptr<SQLite::Database> copy_;
  sqlite3_backup* backup_ = nullptr;
};

}  // namespace sasld
