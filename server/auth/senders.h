// Which addresses an account may send mail as.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/store.h"

namespace sasld {

// As they are stored: in lower case, each once. "ann@example.org" is an address, "@example.org" all
// of a domain. InvalidArgument: the text names "senders", and what is wrong.
absl::StatusOr<std::vector<std::string>> PrepareSenders(const std::vector<std::string>& wanted);

// What lets `account` send as `address`: its own name, an alias or one of its senders, as it is
// stored; empty: nothing does. Whose address it is, his is "ann+anything@example.org" too
// (RFC 5233). Upper and lower case are the same.
std::string WhySenderOf(const Account& account, std::string_view address);

}  // namespace sasld
