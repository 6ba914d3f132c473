#include "storage/sqlite/database_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "proto/common/file_advice.h"
#include "proto/common/status_macros.h"
#include "storage/sqlite/migrations.h"
#include "storage/sync_folder.h"

namespace sasld {
namespace {

// For programs beside us that look into the file, such as a backup; sasld itself never waits.
constexpr int kBusyMilliseconds = 5000;

// The database header (sqlite.org/fileformat2.html section 1.3).
constexpr size_t kHeaderBytes = 100;
constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr size_t kSchemaCookieOffset = 40;  // 0 until the first table is made
constexpr size_t kUserVersionOffset = 60;
constexpr size_t kApplicationIdOffset = 68;

uint32_t BigEndian32(const unsigned char* bytes) {
  return static_cast<uint32_t>(bytes[0]) << 24 | static_cast<uint32_t>(bytes[1]) << 16 |
         static_cast<uint32_t>(bytes[2]) << 8 | bytes[3];
}

// Looks at the file before SQLite does, as SQLite would write beside it.
absl::Status CheckHeader(int fd, const std::string& path) {
  std::array<unsigned char, kHeaderBytes> header{};
  const ssize_t got = pread(fd, header.data(), header.size(), 0);
  if (got < 0) {
    return absl::UnavailableError(absl::StrCat(path, ": cannot be read: ", std::strerror(errno)));
  }
  if (got == 0) return absl::OkStatus();  // new
  if (static_cast<size_t>(got) < header.size() ||
      std::memcmp(header.data(), kMagic.data(), kMagic.size()) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": is not a database; it was left as it is"));
  }
  const uint32_t application_id = BigEndian32(&header[kApplicationIdOffset]);
  const uint32_t version = BigEndian32(&header[kUserVersionOffset]);
  // Nobody's: we were stopped between making the file and making the tables.
  const bool blank =
      application_id == 0 && version == 0 && BigEndian32(&header[kSchemaCookieOffset]) == 0;
  return blank ? absl::OkStatus() : CheckSchema(path, application_id, version);
}

std::string AbsolutePath(const std::string& path) {
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

// The system's reason for what failed last; 0 if it is not known. Of a failed COMMIT, SQLite's own
// answer does not tell; the log does, as it was being written.
int SystemError(sqlite3* database) {
  sqlite3_file* log = nullptr;
  int error = 0;
  if (sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK &&
      log != nullptr && log->pMethods != nullptr) {
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
  }
  return error != 0 ? error : sqlite3_system_errno(database);
}

// SQLite makes files beside the database.
absl::Status CheckFolder(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return absl::OkStatus();
  const int error = errno;
  const std::string log = path + "-wal";
  return absl::UnavailableError(absl::StrCat("cannot make ", log, ": ", WhyNotMade(log, error)));
}

absl::Status ReadOnly(const std::string& path) {
  return absl::UnavailableError(absl::StrCat(
      path, ": is read-only; nothing was changed; make file and folder writable for sasld"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DatabaseFile>> DatabaseFile::Take(const std::string& given,
                                                                 StorePresence presence) {
  if (given.empty() || given.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        "store.url: a path must follow sqlite:, such as sqlite:/var/lib/sasld/sasld.db");
  }
  const std::string path = AbsolutePath(given);
  const int create = presence == StorePresence::kCreateIfMissing ? O_CREAT : 0;
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY | create, 0600);
  const absl::Status missing = absl::NotFoundError(absl::StrCat(path, ": there is no database"));
  if (fd < 0) {
    if (errno == ENOENT && create == 0) return missing;
    const int error = errno;
    return absl::UnavailableError(
        absl::StrCat(path, ": cannot be opened: ", WhyNotOpened(path, error)));
  }
  auto file = std::unique_ptr<DatabaseFile>(new DatabaseFile(path, fd));
  struct stat facts {};
  if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": is not a file"));
  }
  // Of all locks this one alone is independent of those that SQLite takes on the same file, and
  // goes with the process, however it ends.
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": is in use by another sasld; stop that one first, or give this one its own"));
  }
  RETURN_IF_ERROR(CheckFolder(path));
  RETURN_IF_ERROR(CheckHeader(fd, path));
  if (facts.st_size == 0) {
    if (create == 0) return missing;
    SyncFolderOf(path);
  }
  return file;
}

absl::StatusOr<std::unique_ptr<DatabaseFile>> DatabaseFile::TakeToRead(const std::string& given) {
  const std::string path = AbsolutePath(given);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    if (errno == ENOENT) return absl::NotFoundError(absl::StrCat(path, ": there is no database"));
    return absl::UnavailableError(absl::StrCat(path, ": cannot be opened: ", std::strerror(errno)));
  }
  auto file = std::unique_ptr<DatabaseFile>(new DatabaseFile(path, fd));
  if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": is in use by a sasld; check a backup of it"));
  }
  RETURN_IF_ERROR(CheckHeader(fd, path));
  return file;
}

DatabaseFile::~DatabaseFile() { close(fd_); }

SQLite::Database DatabaseFile::OpenWriter() const {
  SQLite::Database database(path_, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX,
                            kBusyMilliseconds);
  sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  database.exec("PRAGMA trusted_schema = OFF");
  return database;
}

void DatabaseFile::SetUpWriting(SQLite::Database& database) {
  // Says "wal", or throws where the file system cannot do it.
  database.exec("PRAGMA journal_mode = WAL");
  // What was acknowledged is on disk.
  database.exec("PRAGMA synchronous = FULL");
  database.exec("PRAGMA foreign_keys = ON");
  // Verifiers that were replaced or removed do not linger in free pages.
  database.exec("PRAGMA secure_delete = ON");
  // Pages that a large import goes back to, in KiB; taken as they are needed.
  database.exec("PRAGMA cache_size = -65536");
  // A log that grew (while the disk was full, say) is cut when it starts anew.
  database.exec("PRAGMA journal_size_limit = 16777216");
  sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

SQLite::Database DatabaseFile::OpenReader() const {
  // Read-write at the level of the file, as readers of a WAL keep their marks in shared memory.
  SQLite::Database database(path_, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, kBusyMilliseconds,
                            MappedVfs());
  sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  database.exec("PRAGMA trusted_schema = OFF");
  database.exec("PRAGMA query_only = ON");
  // Pages of the database file are read in place, without a system call. Above 0, the size says
  // nothing here: it is all of the file.
  ReadMapped(database.getHandle(), mapped_);
  database.exec("PRAGMA mmap_size = 2147418112");
  // Other pages and those of the log cannot be; the cache has room for all of a log at its usual
  // size, in KiB.
  database.exec("PRAGMA cache_size = -8192");
  return database;
}

absl::Status DatabaseFile::StatusOf(const SQLite::Exception& exception,
                                    const SQLite::Database* database) const {
  constexpr int kPrimaryCode = 0xff;
  const int error = database ? SystemError(database->getHandle()) : 0;
  const std::string reason = error
                                 ? absl::StrCat(exception.getErrorStr(), ", ", std::strerror(error))
                                 : std::string(exception.getErrorStr());
  switch (exception.getErrorCode() & kPrimaryCode) {
    case SQLITE_FULL:
      return absl::UnavailableError(
          absl::StrCat(path_, ": the disk is full; nothing was changed; free space and try again"));
    case SQLITE_READONLY:
      return ReadOnly(path_);
    case SQLITE_IOERR:
      // A file system that the system made read-only once it had errors.
      if (error == EROFS) return ReadOnly(path_);
      return absl::UnavailableError(absl::StrCat(path_, ": input/output error (", reason,
                                                 "); nothing was changed; is the disk full, or "
                                                 "failing?"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return absl::UnavailableError(
          absl::StrCat(path_, ": is locked by another program; sasld must own it alone"));
    case SQLITE_CANTOPEN:
      return absl::UnavailableError(absl::StrCat(path_, ": cannot be opened (", reason,
                                                 "); file and folder must be writable for sasld"));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(
          absl::StrCat(path_, ": the database is damaged; restore it from a backup"));
    case SQLITE_CONSTRAINT:
      // What SQLite says of a CHECK names the constraint, never a value.
      return absl::InternalError(absl::StrCat(path_, ": the schema refuses the account: ", reason));
    default:
      return absl::UnavailableError(absl::StrCat(path_, ": ", reason));
  }
}

absl::StatusOr<bool> DatabaseFileExists(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) == 0) return facts.st_size > 0;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  const int error = errno;
  return absl::UnavailableError(
      absl::StrCat(path, ": cannot be examined: ", WhyNotOpened(path, error)));
}

}  // namespace sasld
