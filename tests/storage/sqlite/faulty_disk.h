// A disk for tests that loses power and has faults: a layer over SQLite's own way to files that
// notes what was written and what was synced, and fails when told to.
//
// Files are written for real too, so whoever uses them sees nothing of it. What a file would hold
// after a loss of power is worked out beside: all that was synced, and of what was written since,
// any sectors of 512 bytes, in any mix of old and new. Likewise its being there at all, until it is
// synced the first time (SQLite then syncs the folder), and its being cut or removed. Shared memory
// is none of a disk's business, and goes through.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace sasld {

// What changes a disk.
enum class DiskCall { kWrite, kSync, kTruncate, kRemove };

// SQLite's default while it lives; only databases opened meanwhile are on it, and they must be
// closed before it goes. One at a time. Thread-safe but for the functions it is given.
class FaultyDisk {
 public:
  using Files = std::map<std::string, std::string>;  // by path, with their bytes

  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // Called before each change, with no lock held.
  void BeforeEachChange(std::function<void()> hook) { hook_ = std::move(hook); }

  // What would be there if the power went now. `random` picks what of the unsynced survives.
  Files AfterPowerLoss(std::mt19937& random) const;

  // `skip` calls of that kind go well, the next `times` fail so. `system_error`: what the system
  // would have said, an errno.
  struct Fault {
    DiskCall call;
    int skip = 0;
    int times = 1;
    int code = SQLITE_IOERR;
    int system_error = 0;
  };
  void Fail(const Fault& fault);
  // No more faults. Returns how many there were since Fail().
  int Mend();

  // For the layer's own functions.
  struct Change {
    bool is_size = false;  // cut or grown to `offset` bytes; else `bytes` written at `offset`
    uint64_t offset = 0;
    std::string bytes;
  };
  int Before(DiskCall call);  // SQLITE_OK, or how it is to fail
  void Opened(const std::string& path, bool is_new);
  void Changed(const std::string& path, Change change);
  void Synced(const std::string& path);
  void Removed(const std::string& path, bool synced);
  int system_error() const { return system_error_; }

 private:
  struct File {
    bool there = true;             // is there now
    std::string synced;            // its bytes at the last sync
    std::vector<Change> unsynced;  // since then
    // Until the folder is synced, what was there under this path before may be there again.
    bool settled = false;
    std::optional<std::string> before = {};
  };

  std::function<void()> hook_;
  mutable absl::Mutex mutex_;
  std::map<std::string, File> files_ ABSL_GUARDED_BY(mutex_);
  std::optional<Fault> fault_ ABSL_GUARDED_BY(mutex_);
  int faults_ ABSL_GUARDED_BY(mutex_) = 0;
  std::atomic<int> system_error_ = 0;
};

}  // namespace sasld
