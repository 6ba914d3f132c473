#include "client/saslctl/import_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <string_view>
#include <utility>

#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

constexpr std::string_view kFirstLine = "sasld-import 1";
// A line a batch: enough for 100 million users. What is larger is no journal.
constexpr size_t kBytesMost = size_t{16} << 20;

absl::Status Failed(const std::string& path, std::string_view what) {
  return absl::InternalError(path + ": " + std::string(what) + ": " + strerror(errno));
}

// "done LINE ADDED REPLACED SKIPPED REFUSED"
std::optional<ImportProgress> Parse(const std::string& line) {
  std::istringstream words(line);
  std::string done;
  ImportProgress progress;
  ImportCounts& counts = progress.counts;
  words >> done >> progress.line >> counts.added >> counts.replaced >> counts.skipped >>
      counts.refused;
  if (!words || done != "done") return std::nullopt;
  return progress;
}

}  // namespace

ImportJournal::ImportJournal(ImportJournal&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      progress_(other.progress_) {}

ImportJournal::~ImportJournal() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<std::optional<ImportJournal>> ImportJournal::Find(const std::string& path,
                                                                 const std::string& identity) {
  const int fd = open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT) return std::nullopt;
  if (fd < 0) return Failed(path, "cannot be opened");
  ImportJournal journal(fd, path);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::AbortedError(path + ": another import is at work on it");
  }
  RETURN_IF_ERROR(journal.Read(identity));
  return journal;
}

absl::StatusOr<ImportJournal> ImportJournal::Make(const std::string& path,
                                                  const std::string& identity) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) {
    return absl::InternalError(path + ": cannot be made: " + strerror(errno) +
                               " (--journal FILE puts it elsewhere)");
  }
  ImportJournal journal(fd, path);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::AbortedError(path + ": another import is at work on it");
  }
  RETURN_IF_ERROR(journal.Append(std::string(kFirstLine) + "\n" + identity + "\n"));
  RETURN_IF_ERROR(journal.Keep({}));
  return journal;
}

absl::Status ImportJournal::Read(const std::string& identity) {
  std::string text;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t got = read(fd_, buffer.data(), buffer.size());
    if (got < 0) return Failed(path_, "cannot be read");
    if (got == 0) break;
    text.append(buffer.data(), static_cast<size_t>(got));
    if (text.size() > kBytesMost) break;
  }
  std::istringstream lines(text);
  std::string line;
  if (!std::getline(lines, line) || line != kFirstLine || text.size() > kBytesMost) {
    return absl::FailedPreconditionError(path_ +
                                         ": is no journal of an import; --journal names another");
  }
  if (!std::getline(lines, line) || line != identity) {
    return absl::FailedPreconditionError(
        path_ +
        ": tells of an import that was not finished, of another source or with other options: "
        "finish that one as it was begun, or delete the journal to begin anew");
  }
  while (std::getline(lines, line)) {
    // A line without its end was being written when the machine stopped.
    if (lines.eof()) break;
    const std::optional<ImportProgress> progress = Parse(line);
    if (!progress.has_value()) {
      return absl::FailedPreconditionError(path_ + ": a line of it is none of a journal");
    }
    progress_ = *progress;
  }
  // What follows begins on a line of its own.
  if (!text.ends_with('\n')) {
    const size_t whole = text.rfind('\n') + 1;
    if (ftruncate(fd_, static_cast<off_t>(whole)) != 0) return Failed(path_, "cannot be written");
  }
  return absl::OkStatus();
}

absl::Status ImportJournal::Append(const std::string& text) {
  if (write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      fdatasync(fd_) != 0) {
    return Failed(path_, "cannot be written");
  }
  return absl::OkStatus();
}

absl::Status ImportJournal::Keep(const ImportProgress& progress) {
  progress_ = progress;
  const ImportCounts& counts = progress.counts;
  return Append("done " + std::to_string(progress.line) + " " + std::to_string(counts.added) + " " +
                std::to_string(counts.replaced) + " " + std::to_string(counts.skipped) + " " +
                std::to_string(counts.refused) + "\n");
}

absl::Status ImportJournal::Remove() {
  return unlink(path_.c_str()) == 0 ? absl::OkStatus() : Failed(path_, "cannot be removed");
}

}  // namespace sasld::saslctl
