// When something is to expire, as people say it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace sasld::saslctl {

// "90d" (also w for weeks, h, m), counted from `now`; "2027-01-31", the begin of that day, UTC;
// "2027-01-31T12:00:00Z" (RFC 3339); "never", which is InfiniteFuture. InvalidArgument: none of
// these, or over already.
absl::StatusOr<absl::Time> ParseExpiry(const std::string& text, absl::Time now);

}  // namespace sasld::saslctl
