// SASLprep (RFC 4013), the stringprep profile (RFC 3454) for user names and passwords.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/sasl/secret.h"

namespace sasld {

// Longest password that we take, in bytes of UTF-8. RFC 4616 section 2 asks for 255 at least; more
// than this is somebody feeding the hash.
inline constexpr size_t kMaxPasswordBytes = 1024;

// A name as a stored string: unassigned code points are prohibited. InvalidArgument: not UTF-8, or
// a prohibited character (RFC 4013 sections 2.3 to 2.5). May yield an empty string.
absl::StatusOr<std::string> PrepareStored(std::string_view text);

// A password. As a query string: unassigned code points pass, or the newer scripts and emoji could
// not be used at all. The same form is used when it is set and when it is checked. InvalidArgument
// as above, and for an empty result, NUL (RFC 4616 section 2) or more than kMaxPasswordBytes. The
// text does not repeat it.
absl::StatusOr<Secret> PreparePassword(std::string_view password);

// The same for what a client sent, which is not always UTF-8: clients of old send a password in
// their own code page. Bytes that are not UTF-8 are read as Windows-1252, once.
absl::StatusOr<Secret> PrepareClientPassword(std::string_view bytes);

}  // namespace sasld
