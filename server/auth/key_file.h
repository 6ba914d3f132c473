// The key file: the one secret of a cluster that is not in the database. Each use has a key of its
// own, derived from it.
//
// One line of text: "sasld-key-1 <32 bytes in base64>", mode 0600.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/auth/entropy.h"
#include "server/sasl/secret.h"

namespace sasld {

struct ClusterKeys {
  Secret state;   // seals what travels between steps
  Secret pepper;  // Argon2's secret input: a stolen database alone allows no guessing
  Secret decoy;   // makes the decoys of unknown users the same on each replica
};

// NotFound: there is no such file. PermissionDenied: cannot be read, or others than its owner may
// read it. DataLoss: it is not a key file. Texts name the file and say what to do.
absl::StatusOr<ClusterKeys> LoadKeyFile(const std::string& path);

// Writes a new key file that survives a power loss. AlreadyExists; Unavailable: cannot be written.
absl::Status CreateKeyFile(const std::string& path, Entropy& entropy);

}  // namespace sasld
