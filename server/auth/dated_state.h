// What a state that travels between two steps is sealed with: what it is bound to, and how long it
// holds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "server/sasl/mechanism.h"

namespace sasld {

// The mechanism and all facts of the connection, so that no two of them look alike.
std::string BindingOf(std::string_view mechanism, const ConnectionFacts& facts);

// `state` with the time it expires at before it, in whole milliseconds.
std::string WithExpiry(absl::Time expiry, std::string_view state);

struct DatedState {
  std::string_view state;
  absl::Time expiry;  // it holds until then, and no longer
};

// Takes apart what WithExpiry made; `state` is a slice of it. Nothing if its time is over.
std::optional<DatedState> IfNotExpired(std::string_view dated, absl::Time now);

}  // namespace sasld
