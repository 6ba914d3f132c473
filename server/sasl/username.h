// A prepared user name: SASLprep (RFC 4013, as a stored string) and lower case, so that
// "Ann@Example.ORG" and "ann@example.org" are one user. Whoever holds a Username need not prepare
// again.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace sasld {

class Username {
 public:
  // Longest prepared name. RFC 5321's longest address is 254.
  static constexpr size_t kMaxBytes = 255;

  // InvalidArgument: empty, too long, not UTF-8, or holds a prohibited or unassigned character. The
  // text does not repeat the name.
  static absl::StatusOr<Username> Prepare(std::string_view name);
  // For names that were prepared before they were stored.
  static Username FromPrepared(std::string name) { return Username(std::move(name)); }

  const std::string& str() const { return name_; }
  friend auto operator<=>(const Username&, const Username&) = default;

 private:
  explicit Username(std::string name) : name_(std::move(name)) {}
  std::string name_;
};

}  // namespace sasld
