// The change from one key of the key file to the next: what was sealed under the old one is sealed
// anew in the background, so that it can go.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/auth/entropy.h"
#include "server/auth/key_file.h"
#include "server/auth/password_hash.h"
#include "storage/record_keys.h"
#include "storage/store.h"

namespace spdlog {
class logger;
}

namespace sasld {

// The keys of each use, as their holders take them.
void AddRecordKeys(const ClusterKeys& keys, RecordKeys& record_keys);
std::map<uint32_t, Secret> PeppersOf(const ClusterKeys& keys);

// Thread-safe. What it is given must outlive it.
class KeyRotation {
 public:
  KeyRotation(Store& store, RecordKeys& record_keys, PasswordHasher& hasher, std::string key_file,
              Entropy& entropy, std::shared_ptr<spdlog::logger> log);

  struct Key {
    uint32_t id = 0;
    bool current = false;
    uint64_t users = 0;  // whose records are sealed under it, and domains
  };
  // In order of their ids. Reads all records: seconds for millions.
  absl::StatusOr<std::vector<Key>> Keys() const;
  // Whether records are being sealed anew just now.
  bool Running() const;

  // Makes a new key, writes it to the key file and makes it the current one, at once; then Run()
  // seals all records anew. Returns its id. Errors as AddKey of key_file.h; nothing was changed
  // then.
  absl::StatusOr<uint32_t> Rotate();

  // Takes a key out of the file that nothing needs any more; seals anew first what still does. For
  // good: older backups of the database cannot be read without it. FailedPrecondition: it is the
  // current one, or there are records that cannot be sealed anew. NotFound: there is no such key.
  absl::Status Retire(uint32_t id);

  // Seals records anew whenever there may be some to do, until Stop(). For a thread of its own.
  void Run();
  void Stop();

 private:
  // To the end, or until Stop(). The hashes' peppers are taken along.
  absl::Status Pass();

  Store& store_;
  RecordKeys& record_keys_;
  PasswordHasher& hasher_;
  const std::string key_file_;
  Entropy& entropy_;
  const std::shared_ptr<spdlog::logger> log_;
  absl::Mutex file_mutex_;  // of changes to the key file and what follows from them
  mutable absl::Mutex mutex_;
  bool wanted_ ABSL_GUARDED_BY(mutex_);
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sasld
