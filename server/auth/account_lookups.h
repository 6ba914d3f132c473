// What mail servers that deliver to accounts may learn of them: never a credential.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/auth/attributes.h"
#include "server/auth/directory.h"
#include "storage/store.h"

namespace sasld {

struct AccountFacts {
  Username name;
  bool may_log_in = false;  // enabled and not expired, its domain too
  std::map<std::string, Attribute> attributes;
};

// Thread-safe. What it is given must outlive it.
class AccountLookups {
 public:
  static constexpr size_t kNamesPerPage = 200;

  AccountLookups(const Store& store, const Directory& directory, bool allowed)
      : store_(store), directory_(directory), allowed_(allowed) {}

  // What the configuration says, from now on. Who asks for others asks allowed() first.
  void Allow(bool allowed) { allowed_.store(allowed, std::memory_order_relaxed); }
  bool allowed() const { return allowed_.load(std::memory_order_relaxed); }

  // The account of a name or an alias as somebody wrote it. NotFound: there is none, or it cannot
  // be a name. Else errors as Store::Find.
  absl::StatusOr<AccountFacts> Find(std::string_view name, absl::Time now) const;

  // Up to kNamesPerPage names after `after`, in the order of their bytes. Errors as Store::List.
  absl::StatusOr<std::vector<std::string>> NamesAfter(std::string_view after) const;

 private:
  const Store& store_;
  const Directory& directory_;
  std::atomic<bool> allowed_;
};

}  // namespace sasld
