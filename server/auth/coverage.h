// Which mechanisms an account could use, by the verifiers that are kept of it, and how many
// accounts could use each.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/sasl/registry.h"
#include "storage/store.h"

namespace sasld {

// Whether the account's verifiers can serve `mechanism`, whether it is switched on or not.
bool CanServe(const Credential& credential, const RegisteredMechanism& mechanism);

struct Coverage {
  uint64_t users = 0;
  std::map<std::string_view, uint64_t> users_of;  // by mechanism, for all that are checked so
};
// Reads all accounts: seconds for millions. Cancelled: `gone` said that nobody waits any more.
absl::StatusOr<Coverage> CoverageOf(const Store& store, const std::function<bool()>& gone);

}  // namespace sasld
