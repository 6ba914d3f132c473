// The keys that accounts and domains are sealed under at rest, and the sealing (AES-256-GCM).
//
//   version (1 byte) | key id (4, big endian) | nonce (12, random) | ciphertext | tag (16)
//
// Kind, name, epoch and all that is not ciphertext are authenticated: a changed byte, and a record
// that was put in another's place, opens nowhere. 2^32 records may be sealed under one key before
// two nonces are likelier than 2^-32 to be the same (NIST SP 800-38D section 8.3).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/sasl/secret.h"

namespace sasld {

// What a record is of. Those of two kinds may have the same name, and not each other's place.
enum class RecordKind { kAccount, kDomain };

// Thread-safe.
class RecordKeys {
 public:
  // `key`: 32 random bytes. The current key is the one of the highest id. 0 is no id.
  void Add(uint32_t id, Secret key);
  // Nothing is sealed under it any more; what still is does not open from now on.
  void Drop(uint32_t id);
  uint32_t current() const;
  bool Has(uint32_t id) const;
  std::vector<uint32_t> Ids() const;

  // Under the current key.
  std::string Seal(std::string_view name, uint64_t epoch, const Secret& record,
                   RecordKind kind = RecordKind::kAccount) const;

  // DataLoss: sealed under a key that there is not, changed since, or another's. Texts tell which,
  // and name nobody.
  absl::StatusOr<Secret> Open(std::string_view name, uint64_t epoch, std::string_view sealed,
                              RecordKind kind = RecordKind::kAccount) const;

  // The key that `sealed` says it was sealed under; 0 if it is none of ours.
  static uint32_t KeyIdOf(std::string_view sealed);

 private:
  mutable absl::Mutex mutex_;
  std::map<uint32_t, Secret> keys_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sasld
