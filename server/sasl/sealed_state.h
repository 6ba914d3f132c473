// What travels between two steps: sealed, so that the caller can neither read nor change it, bound
// to the exchange it belongs to, and of limited life.
//
// Sealed with AES-256-GCM. The key is derived (HKDF-SHA-256, RFC 5869) from the cluster's key and a
// random salt that each process draws once and sends along. So every process with the same key file
// can open it, and a plain counter serves as nonce: it cannot repeat under one derived key.
//
//   version (1 byte) | salt (16) | counter (8, big endian) | ciphertext | tag (16)
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/sasl/secret.h"

namespace sasld {

inline constexpr size_t kStateSaltBytes = 16;

// Thread-safe once made.
class StateSealer {
 public:
  // `cluster_keys`: each 32 random bytes, at least one. The first is sealed under; what another
  // process, or this one before its restart, sealed under any of them opens. `process_salt`:
  // kStateSaltBytes random bytes, never used with another process.
  StateSealer(std::vector<Secret> cluster_keys, std::string_view process_salt);
  // With one key only.
  StateSealer(const Secret& cluster_key, std::string_view process_salt);
  StateSealer(const StateSealer&) = delete;
  StateSealer& operator=(const StateSealer&) = delete;

  // `counter` must never be given twice to one sealer. `binding` is authenticated, not contained.
  std::string Seal(uint64_t counter, std::string_view binding, std::string_view state) const;

  // What no other sealed state has: the tag. `sealed` was opened before.
  static std::string_view UniquePartOf(std::string_view sealed) {
    return sealed.substr(sealed.size() - std::min(sealed.size(), size_t{16}));
  }

  // Nothing if it was not sealed under this cluster's key and with this very binding.
  std::optional<std::string> Open(std::string_view binding, std::string_view sealed) const;

 private:
  const std::vector<Secret> cluster_keys_;
  const std::string process_salt_;
  const Secret process_key_;
};

}  // namespace sasld
