// When each credential was used last: noted in memory at a login, written to the store a batch at a
// time by a thread that may wait for a disk.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "proto/common/tally.h"
#include "storage/store.h"

namespace sasld {

// Thread-safe. What was not flushed is lost with the process: a last use may be older than it says,
// and nothing else hangs on it.
class LastUses {
 public:
  // So many wait at most, while the store cannot write them; what is new then is not noted. 200
  // bytes each.
  static constexpr size_t kMostWaiting = size_t{1} << 16;
  // In one transaction: others who write wait for it.
  static constexpr size_t kBatch = 1000;

  // `store` must outlive it.
  explicit LastUses(Store& store) : store_(store) {}
  LastUses(const LastUses&) = delete;
  LastUses& operator=(const LastUses&) = delete;

  // Somebody got in by this credential: the id of an app password, or "" for the account's own.
  // Never waits for the store.
  void Note(const Username& account, std::string_view app_password, LastUse last);

  // Writes what waits. Unavailable, DataLoss: as the store says; what was not written waits on,
  // unless something later was noted meanwhile.
  absl::Status Flush();

  size_t waiting() const;
  // Writes that failed.
  const Tally& failures() const { return failures_; }

 private:
  using Key = std::pair<std::string, std::string>;  // the account's name, the app password's id
  using Waiting = absl::flat_hash_map<Key, LastUse>;

  Store& store_;
  Tally failures_;
  mutable absl::Mutex mutex_;
  Waiting waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sasld
