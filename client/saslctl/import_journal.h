// How far an import has come, kept in a file beside its source, so that it goes on where it was
// killed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sasld::saslctl {

struct ImportCounts {
  uint64_t added = 0;
  uint64_t replaced = 0;
  uint64_t skipped = 0;
  uint64_t refused = 0;
};

struct ImportProgress {
  size_t line = 0;  // the last that is done with
  ImportCounts counts;
};

// Lines of text: "sasld-import 1", what is imported, and one for each batch, the last of which
// counts. Holds no user and no password. Locked while open. Not thread-safe.
class ImportJournal {
 public:
  // `identity` is one line: the source's digest and all that decides what becomes of it.
  //
  // The journal that is there; nullopt: there is none. FailedPrecondition: it is of another
  // identity, or no journal. Aborted: another process has it open. Internal: it cannot be read.
  static absl::StatusOr<std::optional<ImportJournal>> Find(const std::string& path,
                                                           const std::string& identity);
  // Makes one, mode 0600. Internal: it cannot be written.
  static absl::StatusOr<ImportJournal> Make(const std::string& path, const std::string& identity);
  ImportJournal(ImportJournal&& other) noexcept;
  ImportJournal& operator=(ImportJournal&&) = delete;
  ~ImportJournal();

  const ImportProgress& progress() const { return progress_; }
  // Safe on disk when it returns. Internal: it cannot be written.
  absl::Status Keep(const ImportProgress& progress);
  // When all is done. Internal: it cannot be removed.
  absl::Status Remove();

 private:
  ImportJournal(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  absl::Status Read(const std::string& identity);
  absl::Status Append(const std::string& text);

  int fd_;
  std::string path_;
  ImportProgress progress_;
};

}  // namespace sasld::saslctl
