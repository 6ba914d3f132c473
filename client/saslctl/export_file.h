// A file that appears whole, or not at all.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sasld::saslctl {

// Written under another name in the same folder, mode 0600. Signals that end a process are held
// back while it is open, so that no draft is left behind. Not thread-safe; make it before threads
// are started, so that they hold signals back as well.
class ExportFile {
 public:
  // AlreadyExists: there is a file of that name. Internal: it cannot be made.
  static absl::StatusOr<ExportFile> Make(const std::string& path);
  ExportFile(ExportFile&& other) noexcept;
  ExportFile& operator=(ExportFile&&) = delete;
  // Without Finish() nothing is left. A signal that was held back takes its course now.
  ~ExportFile();

  // Cancelled: a signal waits. Internal: it cannot be written.
  absl::Status Write(std::string_view text);
  // On disk and under its name when it returns. AlreadyExists, Internal as above.
  absl::Status Finish();

 private:
  ExportFile(int fd, std::string draft, std::string path);
  int fd_;
  std::string draft_;
  std::string path_;
};

}  // namespace sasld::saslctl
