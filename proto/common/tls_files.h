// The PEM files of mutual TLS, read and checked, so that a mistake is told at start with the file's
// name. gRPC takes anything, and then each connection fails with a text that names nothing.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace sasld {

// A file, and the setting that names it, such as "listen.tls.key".
struct TlsFile {
  std::string setting;
  std::string path;
};

// The files' texts. `key` is a secret; gRPC keeps it as a string too.
struct TlsPem {
  std::string ca;
  std::string certificate;  // ours first, then what leads to the authority
  std::string key;
};

// NotFound, PermissionDenied: a file cannot be read. InvalidArgument: it does not hold what it
// should, the key needs a passphrase, or it is not the certificate's. Texts name setting and file,
// and say what to do.
absl::StatusOr<TlsPem> ReadTlsFiles(const TlsFile& ca, const TlsFile& certificate,
                                    const TlsFile& key);

}  // namespace sasld
