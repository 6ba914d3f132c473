// The database file in memory, whole, for readers.
//
// SQLite maps 2 GiB of a file at most. Of a larger one, most pages then cost a system call and a
// copy; with this they cost neither, however large it is. It takes address space; the memory is the
// system's file cache.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace sasld {

// Thread-safe. Must outlive every connection that was given it.
class MappedFile {
 public:
  // Maps what is there, and room to grow, at least `smallest` bytes. `fd` is borrowed for as long
  // as this lives. Where the system refuses, nothing is mapped.
  explicit MappedFile(int fd, size_t smallest = size_t{64} << 20);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  // The file's bytes from `offset` to `end`, which the file must have. Valid until this goes; null:
  // they are not mapped, and have to be read.
  const char* Bytes(size_t offset, size_t end);

 private:
  struct Range {
    char* start;
    size_t size;
  };

  const Range* Grow(size_t end) ABSL_LOCKS_EXCLUDED(mutex_);
  const Range* Map(size_t size) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int fd_;
  std::atomic<const Range*> current_ = nullptr;
  absl::Mutex mutex_;
  // All stay: somebody may be reading in the older ones.
  std::vector<std::unique_ptr<const Range>> ranges_ ABSL_GUARDED_BY(mutex_);
  bool refused_ ABSL_GUARDED_BY(mutex_) = false;
};

// The name of a VFS that is SQLite's default one but for reading, registered at the first call.
const char* MappedVfs();

// Lets a connection that was opened with MappedVfs() read in `file`. SQLite's own setting mmap_size
// must be above 0 for it to do so.
void ReadMapped(sqlite3* database, MappedFile& file);

}  // namespace sasld
