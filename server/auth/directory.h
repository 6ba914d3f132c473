// Accounts by the names that people give. Who leaves out the domain is taken for somebody of the
// default realm.
#pragma once

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "storage/store.h"

namespace sasld {

// Thread-safe. The store must outlive it.
class Directory {
 public:
  // `default_realm`: a prepared domain; empty for none.
  Directory(const Store& store, std::string default_realm);

  // From now on this is the default realm.
  void Adopt(std::string default_realm);

  // With "@" and the default realm behind it, if the name has no "@" and there is such a realm; a
  // name that cannot take it stays as it is.
  Username Complete(const Username& name) const;

  // The account of that name or alias, else that of the completed name. So those without a domain
  // are found as before. Errors as Store::Find.
  absl::StatusOr<Account> Find(const Username& name) const;

 private:
  const Store& store_;
  mutable absl::Mutex mutex_;
  std::string default_realm_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sasld
