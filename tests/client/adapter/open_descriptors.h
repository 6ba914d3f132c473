// What this process has open, to find what leaks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sasld::testing {

// One text for each open descriptor, sorted: "/dev/null", "anon_inode:[eventfd]", "listens at
// /tmp/a/auth", "accepted at /tmp/a/auth", "connected to /tmp/a/sasl". Numbers are left out, so
// that two lists are equal if the same things are open.
std::vector<std::string> OpenDescriptors();

// The lines of `after` that `before` has not, as often as it has them, then the other way round.
// Empty if they are equal.
std::string Difference(const std::vector<std::string>& before,
                       const std::vector<std::string>& after);

}  // namespace sasld::testing
