#include "storage/sqlite/backup.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/common/file_advice.h"
#include "storage/sync_folder.h"

namespace sasld {
namespace {

// A mebibyte: so long a writer waits at most.
constexpr int kPagesAtOnce = 256;

absl::Status SystemTrouble(const std::string& path, const char* what, int error) {
  return absl::UnavailableError(absl::StrCat(path, ": ", what, ": ", WhyNotMade(path, error)));
}

absl::Status IsThere(const std::string& path) {
  return absl::AlreadyExistsError(
      absl::StrCat(path, ": there is such a file; a backup replaces none"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<BackupDraft>> BackupDraft::Make(const std::string& path) {
  if (!path.starts_with('/') || path.ends_with('/') || path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        "the path of a backup must be absolute, such as /var/lib/sasld/backup.db");
  }
  if (access(path.c_str(), F_OK) == 0) return IsThere(path);
  auto backup = std::unique_ptr<BackupDraft>(new BackupDraft(path));
  const std::string& draft = backup->draft_;
  const int fd = open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    const int error = errno;
    backup->published_ = true;  // not ours to remove
    if (error == EEXIST) {
      return absl::AlreadyExistsError(absl::StrCat(
          draft, ": is there already, left by a backup that was cut short; remove it"));
    }
    return SystemTrouble(draft, "cannot be made", error);
  }
  close(fd);
  backup->copy_ =
      std::make_unique<SQLite::Database>(draft, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX);
  // Nothing is lost if it is lost: it is synced when it is complete.
  backup->copy_->exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
  return backup;
}

BackupDraft::~BackupDraft() {
  Abandon();
  copy_.reset();
  if (!published_) unlink(draft_.c_str());
}

void BackupDraft::Abandon() {
  if (backup_ != nullptr) sqlite3_backup_finish(std::exchange(backup_, nullptr));
}

absl::Status BackupDraft::CannotWrite(int code) const {
  constexpr int kPrimaryCode = 0xff;
  if ((code & kPrimaryCode) == SQLITE_FULL) {
    return absl::UnavailableError(absl::StrCat(draft_, ": the disk is full; there is no backup"));
  }
  return absl::UnavailableError(
      absl::StrCat(draft_, ": ", sqlite3_errstr(code), "; there is no backup"));
}

absl::StatusOr<bool> BackupDraft::CopySome(SQLite::Database& source, BackupProgress& progress) {
  if (backup_ == nullptr) {
    backup_ = sqlite3_backup_init(copy_->getHandle(), "main", source.getHandle(), "main");
    if (backup_ == nullptr) return CannotWrite(sqlite3_errcode(copy_->getHandle()));
  }
  const int code = sqlite3_backup_step(backup_, kPagesAtOnce);
  progress.total = static_cast<uint64_t>(sqlite3_backup_pagecount(backup_));
  progress.done = progress.total - static_cast<uint64_t>(sqlite3_backup_remaining(backup_));
  if (code == SQLITE_OK) return false;
  Abandon();
  if (code != SQLITE_DONE) return CannotWrite(code);
  return true;
}

absl::Status BackupDraft::Complete() {
  copy_.reset();
  {
    // The copy says of itself that a log belongs to it, as the original does.
    SQLite::Database copy(draft_, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX);
    copy.exec("PRAGMA synchronous = OFF; PRAGMA journal_mode = DELETE");
  }
  const int fd = open(draft_.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return SystemTrouble(draft_, "cannot be opened", errno);
  const int failed = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  return failed == 0 ? absl::OkStatus() : SystemTrouble(draft_, "cannot be synced", failed);
}

absl::Status BackupDraft::Publish() {
  int error = renameat2(AT_FDCWD, draft_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0
                  ? 0
                  : errno;
  // Not every file system can; whether the name is free was asked before.
  if (error == EINVAL && access(path_.c_str(), F_OK) != 0) {
    error = rename(draft_.c_str(), path_.c_str()) == 0 ? 0 : errno;
  }
  if (error == EEXIST) return IsThere(path_);
  if (error != 0) return SystemTrouble(path_, "cannot be made", error);
  published_ = true;
  SyncFolderOf(path_);
  return absl::OkStatus();
}

}  // namespace sasld
