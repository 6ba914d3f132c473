#include "client/saslctl/export_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

sigset_t EndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&signals, number);
  return signals;
}

bool SignalWaits() {
  sigset_t waiting;
  sigpending(&waiting);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    if (sigismember(&waiting, number) == 1) return true;
  }
  return false;
}

absl::Status Failed(const std::string& path, std::string_view what) {
  return absl::InternalError(path + ": " + std::string(what) + ": " + strerror(errno));
}

absl::Status ThereAlready(const std::string& path) {
  return absl::AlreadyExistsError(path +
                                  ": there is such a file already; move it away, or name another");
}

}  // namespace

ExportFile::ExportFile(int fd, std::string draft, std::string path)
    : fd_(fd), draft_(std::move(draft)), path_(std::move(path)) {}

ExportFile::ExportFile(ExportFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      draft_(std::move(other.draft_)),
      path_(std::move(other.path_)) {}

absl::StatusOr<ExportFile> ExportFile::Make(const std::string& path) {
  struct stat there = {};
  if (lstat(path.c_str(), &there) == 0) return ThereAlready(path);
  const sigset_t signals = EndingSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::string draft = path + ".XXXXXX";
  const int fd = mkostemp(draft.data(), O_CLOEXEC);
  if (fd < 0) {
    const absl::Status failed = Failed(path, "cannot be made");
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    return failed;
  }
  return ExportFile(fd, draft, path);
}

ExportFile::~ExportFile() {
  if (fd_ < 0) return;
  close(fd_);
  if (!draft_.empty()) unlink(draft_.c_str());
  const sigset_t signals = EndingSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

absl::Status ExportFile::Write(std::string_view text) {
  if (SignalWaits()) return absl::CancelledError("interrupted; nothing was left behind");
  while (!text.empty()) {
    const ssize_t wrote = write(fd_, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return Failed(path_, "cannot be written");
    text.remove_prefix(static_cast<size_t>(wrote));
  }
  return absl::OkStatus();
}

absl::Status ExportFile::Finish() {
  if (fsync(fd_) != 0) return Failed(path_, "cannot be written");
  // Unlike rename() this never takes the place of a file that has come meanwhile.
  if (link(draft_.c_str(), path_.c_str()) != 0) {
    return errno == EEXIST ? ThereAlready(path_) : Failed(path_, "cannot be made");
  }
  unlink(draft_.c_str());
  draft_.clear();
  const size_t slash = path_.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
  const int folder_fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd >= 0) {
    fsync(folder_fd);
    close(folder_fd);
  }
  return absl::OkStatus();
}

}  // namespace sasld::saslctl
