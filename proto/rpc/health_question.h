// Asks servers by gRPC's health service whether they serve: what both programs' health commands do.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace sasld {

struct HealthTarget {
  std::string address;  // "unix:/path" or "host:port"
  std::shared_ptr<grpc::ChannelCredentials> credentials;
};

// How long a health command takes at most, such as "3s". InvalidArgument with a text for who typed
// it.
absl::StatusOr<absl::Duration> ParseHealthTimeout(const std::string& text);

// Asks all at once; the address of the first that says SERVING. Unavailable: none does within
// `timeout`; the text is one line that says of each why, and what to do. Blocks.
absl::StatusOr<std::string> FirstServing(const std::vector<HealthTarget>& targets,
                                         absl::Duration timeout);

}  // namespace sasld
