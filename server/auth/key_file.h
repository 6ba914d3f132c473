// The key file: the secrets of a cluster that are not in the database. Each use has a key of its
// own, derived from them.
//
//   sasld-keys-2
//   decoy <32 bytes in base64>
//   key 1 <32 bytes in base64>
//   key 2 <32 bytes in base64>
//
// Mode 0600. One that is only to be read, such as a container's secret or a systemd credential, may
// be of mode 0400, or 0440 where it belongs to root and we do not run as root. The key of the
// highest id is the current one. Lines that begin with # say nothing. The form before, one line
// "sasld-key-1 <32 bytes in base64>", is read as key 1.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/auth/entropy.h"
#include "server/sasl/secret.h"

namespace sasld {

struct ClusterKey {
  uint32_t id = 0;
  Secret state;   // seals what travels between steps
  Secret pepper;  // Argon2's secret input: a stolen database alone allows no guessing
  Secret record;  // seals accounts at rest
};

struct ClusterKeys {
  std::vector<ClusterKey> keys;  // in order of their ids; at least one
  // Makes the decoys of unknown users: the same on each replica, and for as long as there are
  // users, or their change would tell users and decoys apart.
  Secret decoy;

  const ClusterKey& current() const { return keys.back(); }
  // The current one first, as StateSealer takes them.
  std::vector<Secret> StateKeys() const;
};

// NotFound: there is no such file. PermissionDenied: cannot be read, or others than those may read
// it. DataLoss: it is not a key file. Texts name the file and say what to do.
absl::StatusOr<ClusterKeys> LoadKeyFile(const std::string& path);

// Writes a new key file that survives a power loss. AlreadyExists; Unavailable: cannot be written.
absl::Status CreateKeyFile(const std::string& path, Entropy& entropy);

// Adds a key to the file, or takes one out of it; the file is replaced as a whole. What is returned
// is what the file has now. Errors as LoadKeyFile; Unavailable: cannot be written, and is as it
// was; NotFound: there is no key of that id; FailedPrecondition: it is the current one.
absl::StatusOr<ClusterKeys> AddKey(const std::string& path, Entropy& entropy);
absl::StatusOr<ClusterKeys> RemoveKey(const std::string& path, uint32_t id);

}  // namespace sasld
