#include "server/auth/directory.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace sasld {

Directory::Directory(const Store& store, std::string default_realm)
    : store_(store), default_realm_(std::move(default_realm)) {}

void Directory::Adopt(std::string default_realm) {
  absl::MutexLock lock(&mutex_);
  default_realm_ = std::move(default_realm);
}

Username Directory::Complete(const Username& name) const {
  if (name.str().find('@') != std::string::npos) return name;
  std::string completed;
  {
    absl::ReaderMutexLock lock(&mutex_);
    if (default_realm_.empty()) return name;
    completed = absl::StrCat(name.str(), "@", default_realm_);
  }
  // Both parts are prepared, yet together they may be too long, or run in two directions.
  return Username::Prepare(completed).value_or(name);
}

absl::StatusOr<Account> Directory::Find(const Username& name) const {
  absl::StatusOr<Account> found = store_.Find(name);
  if (!absl::IsNotFound(found.status())) return found;
  const Username completed = Complete(name);
  if (completed == name) return found;
  return store_.Find(completed);
}

}  // namespace sasld
