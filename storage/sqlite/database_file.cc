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
#include "proto/common/status_macros.h"
#include "storage/sqlite/migrations.h"

namespace sasld {
namespace {

constexpr int kBusyMilliseconds = 5000;
// Readers see the file through memory up to this size; beyond it they read as usual.
constexpr char kMmapPragma[] = "PRAGMA mmap_size = 1073741824";

// The database header (sqlite.org/fileformat2.html section 1.3).
constexpr size_t kHeaderBytes = 100;
constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr size_t kUserVersionOffset = 60;
constexpr size_t kApplicationIdOffset = 68;

uint32_t BigEndian32(const unsigned char* bytes) {
  return static_cast<uint32_t>(bytes[0]) << 24 | static_cast<uint32_t>(bytes[1]) << 16 |
         static_cast<uint32_t>(bytes[2]) << 8 | bytes[3];
}

// Looks at the file before SQLite does, as that would write beside it.
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
  return CheckSchema(path, BigEndian32(&header[kApplicationIdOffset]),
                     BigEndian32(&header[kUserVersionOffset]));
}

absl::Status CannotOpen(const std::string& path, int error) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  std::string advice;
  if (error == ENOENT) advice = absl::StrCat("; make the folder ", folder, " first");
  if (error == EACCES) {
    advice = absl::StrCat("; the file and its folder must be writable for the user sasld runs as (uid ",
                          geteuid(), ")");
  }
  return absl::UnavailableError(
      absl::StrCat(path, ": cannot be opened: ", std::strerror(error), advice));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DatabaseFile>> DatabaseFile::Take(const std::string& path,
                                                                 StorePresence presence) {
  if (path.empty()) {
    return absl::InvalidArgumentError("store.url: a path must follow sqlite:, such as "
                                      "sqlite:/var/lib/sasld/sasld.db");
  }
  const int create = presence == StorePresence::kCreateIfMissing ? O_CREAT : 0;
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | create, 0600);
  if (fd < 0) {
    if (errno == ENOENT && create == 0) {
      return absl::NotFoundError(absl::StrCat(path, ": there is no database"));
    }
    return CannotOpen(path, errno);
  }
  auto file = std::unique_ptr<DatabaseFile>(new DatabaseFile(path, fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": is in use by another sasld; stop that one first"));
  }
  RETURN_IF_ERROR(CheckHeader(fd, path));
  return file;
}

DatabaseFile::~DatabaseFile() { close(fd_); }

std::unique_ptr<SQLite::Database> DatabaseFile::OpenWriter() const {
  auto database = std::make_unique<SQLite::Database>(
      path_, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, kBusyMilliseconds);
  database->exec("PRAGMA trusted_schema = OFF");
  database->exec("PRAGMA journal_mode = WAL");
  // What was acknowledged is on disk.
  database->exec("PRAGMA synchronous = FULL");
  return database;
}

std::unique_ptr<SQLite::Database> DatabaseFile::OpenReader() const {
  // Read-write at the level of the file, as readers of a WAL keep their marks in shared memory.
  auto database = std::make_unique<SQLite::Database>(
      path_, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, kBusyMilliseconds);
  database->exec("PRAGMA trusted_schema = OFF");
  database->exec("PRAGMA query_only = ON");
  database->exec(kMmapPragma);
  return database;
}

absl::Status DatabaseFile::StatusOf(const SQLite::Exception& exception) const {
  switch (exception.getErrorCode()) {
    case SQLITE_FULL:
      return absl::UnavailableError(
          absl::StrCat(path_, ": the disk is full; nothing was changed; free space and try again"));
    case SQLITE_READONLY:
      return absl::UnavailableError(absl::StrCat(
          path_, ": is read-only; nothing was changed; make file and folder writable for sasld"));
    case SQLITE_IOERR:
      return absl::UnavailableError(absl::StrCat(
          path_, ": input/output error (", exception.getErrorStr(),
          "); nothing was changed; is the disk full, or failing?"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(
          absl::StrCat(path_, ": is locked by another program; sasld must own it alone"));
    case SQLITE_CANTOPEN:
      return absl::UnavailableError(absl::StrCat(
          path_, ": cannot be opened; file and folder must be writable for sasld"));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(
          absl::StrCat(path_, ": the database is damaged; restore it from a backup"));
    default:
      return absl::UnavailableError(absl::StrCat(path_, ": ", exception.getErrorStr()));
  }
}

}  // namespace sasld
