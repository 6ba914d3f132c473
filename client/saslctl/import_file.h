// The file that users are read from, as often as it takes.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sasld::saslctl {

// Not thread-safe.
class ImportFile {
 public:
  // "-" is standard input. A pipe is copied into a file without a name first, as it is read more
  // than once; the copy is gone when the process is. InvalidArgument: there is no such file, it
  // cannot be read, or is a folder. Internal: the copy cannot be written.
  static absl::StatusOr<ImportFile> Open(const std::string& path);
  ImportFile(ImportFile&& other) noexcept;
  ImportFile& operator=(ImportFile&&) = delete;
  ~ImportFile();

  // As messages call it: its last component, or "standard input".
  const std::string& name() const { return name_; }
  uint64_t size() const { return static_cast<uint64_t>(opened_.st_size); }
  uint64_t position() const { return position_; }

  // 0: the end. Internal: cannot be read.
  absl::StatusOr<size_t> Read(char* bytes, size_t most);
  // To the beginning. Aborted: the file was changed since it was opened.
  absl::Status Rewind();
  // SHA-256 of all of it, in hexadecimal. Leaves the position at the end.
  absl::StatusOr<std::string> Digest();

 private:
  ImportFile(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  int fd_;
  std::string name_;
  struct stat opened_ = {};
  uint64_t position_ = 0;
};

}  // namespace sasld::saslctl
