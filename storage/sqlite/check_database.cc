#include "storage/sqlite/check_database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "storage/sqlite/database_file.h"
#include "storage/sqlite/domains.h"
#include "storage/sqlite/migrations.h"
#include "storage/sqlite/rows.h"
#include "storage/sqlite/writes.h"

namespace sasld {
namespace {

// SQLite's check tells nothing of how far it is; it is asked to stop every so many instructions.
constexpr int kInstructions = 1'000'000;
constexpr uint64_t kAccountsBetweenWords = 1000;

absl::Status CheckVersion(SQLite::Database& database, const std::string& path) {
  const auto version = static_cast<uint32_t>(database.execAndGet("PRAGMA user_version").getInt64());
  const auto id = static_cast<uint32_t>(database.execAndGet("PRAGMA application_id").getInt64());
  RETURN_IF_ERROR(CheckSchema(path, id, version));
  if (version == CurrentSchemaVersion()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      path, ": was made by an older sasld (schema ", version, ", this one has ",
      CurrentSchemaVersion(), "); sasld brings it up to date when it is started with it"));
}

absl::Status CheckPages(SQLite::Database& database, const std::string& path) {
  SQLite::Statement check(database, "PRAGMA integrity_check(1)");
  check.executeStep();
  const std::string verdict = check.getColumn(0).getString();
  if (verdict == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path, ": the database is damaged: ", verdict));
}

absl::StatusOr<uint64_t> OpenEachAccount(SQLite::Database& database, const std::string& path,
                                         const RecordKeys& keys, const BackupWatch& watch) {
  BackupProgress progress{true, 0, 0};
  progress.total = static_cast<uint64_t>(
      database.execAndGet("SELECT value FROM counter WHERE name = 'accounts'").getInt64());
  // In the order they lie in, which reads the file from front to back.
  SQLite::Statement all(database,
                        "SELECT name, epoch, record, domain FROM account ORDER BY number");
  while (all.executeStep()) {
    RETURN_IF_ERROR(ReadBareAccount(all, keys, path).status());
    ++progress.done;
    if (progress.done % kAccountsBetweenWords == 0 && !watch(progress)) {
      return absl::CancelledError("the check was stopped");
    }
  }
  if (progress.done == progress.total) return progress.done;
  return Damaged(path, absl::DataLossError(absl::StrCat(progress.done, " users where it counted ",
                                                        progress.total)));
}

}  // namespace

absl::StatusOr<uint64_t> CheckDatabase(const std::string& path, const RecordKeys& keys,
                                       const BackupWatch& watch) {
  // So that no sasld writes to it meanwhile, and for the words if there is no such file.
  ASSIGN_OR_RETURN(const std::unique_ptr<DatabaseFile> file, DatabaseFile::TakeToRead(path));
  try {
    SQLite::Database database(file->path(), SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX);
    database.exec("PRAGMA trusted_schema = OFF");
    RETURN_IF_ERROR(CheckVersion(database, path));
    RETURN_IF_ERROR(CheckKnownKeys(database, keys, path).status());
    const auto go_on = [](void* of) {
      return (*static_cast<const BackupWatch*>(of))({true, 0, 0}) ? 0 : 1;
    };
    sqlite3_progress_handler(database.getHandle(), kInstructions, go_on,
                             const_cast<BackupWatch*>(&watch));
    RETURN_IF_ERROR(CheckPages(database, path));
    sqlite3_progress_handler(database.getHandle(), 0, nullptr, nullptr);
    RETURN_IF_ERROR(OpenEachDomain(database, keys, path));
    return OpenEachAccount(database, path, keys, watch);
  } catch (const SQLite::Exception& exception) {
    if (exception.getErrorCode() == SQLITE_INTERRUPT) {
      return absl::CancelledError("the check was stopped");
    }
    return file->StatusOf(exception, nullptr);
  }
}

}  // namespace sasld
