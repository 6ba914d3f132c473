#include "storage/memory/memory_store.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace sasld {
namespace {

absl::Status NoSuchAccount() { return absl::NotFoundError("no such user"); }

class MemoryStore final : public Store {
 public:
  absl::StatusOr<Account> Find(const Username& name) const override {
    absl::ReaderMutexLock lock(&mutex_);
    const auto found = accounts_.find(name.str());
    if (found == accounts_.end()) return NoSuchAccount();
    return CloneAccount(found->second);
  }

  absl::StatusOr<Epoch> Create(const Account& account) override {
    absl::MutexLock lock(&mutex_);
    if (accounts_.contains(account.name.str())) {
      return absl::AlreadyExistsError("there is a user of that name");
    }
    accounts_.emplace(account.name.str(), WithEpoch(account, ++last_epoch_));
    return last_epoch_;
  }

  absl::StatusOr<Epoch> Update(const Account& account) override {
    absl::MutexLock lock(&mutex_);
    const auto found = accounts_.find(account.name.str());
    if (found == accounts_.end()) return NoSuchAccount();
    if (found->second.epoch != account.epoch) {
      return absl::AbortedError("the user was changed meanwhile");
    }
    found->second = WithEpoch(account, ++last_epoch_);
    return last_epoch_;
  }

  absl::Status Remove(const Username& name) override {
    absl::MutexLock lock(&mutex_);
    return accounts_.erase(name.str()) == 1 ? absl::OkStatus() : NoSuchAccount();
  }

  absl::StatusOr<std::vector<Account>> List(const AccountQuery& query) const override {
    absl::ReaderMutexLock lock(&mutex_);
    std::vector<Account> page;
    auto next = accounts_.lower_bound(std::max(query.prefix, query.after));
    if (next != accounts_.end() && !query.after.empty() && next->first == query.after) ++next;
    for (; next != accounts_.end() && page.size() < query.limit; ++next) {
      if (!next->first.starts_with(query.prefix)) break;
      page.push_back(CloneAccount(next->second));
    }
    return page;
  }

  absl::StatusOr<uint64_t> Count() const override {
    absl::ReaderMutexLock lock(&mutex_);
    return accounts_.size();
  }

 private:
  static absl::Time WholeSeconds(absl::Time time) {
    return absl::FromUnixSeconds(absl::ToUnixSeconds(time));
  }

  // As it is stored: the keys carry the account's epoch, times are whole seconds.
  static Account WithEpoch(const Account& account, Epoch epoch) {
    Account stored = CloneAccount(account);
    stored.epoch = epoch;
    stored.created = WholeSeconds(account.created);
    stored.password_changed = WholeSeconds(account.password_changed);
    if (stored.credential.scram_sha_256) stored.credential.scram_sha_256->epoch = epoch;
    return stored;
  }

  mutable absl::Mutex mutex_;
  std::map<std::string, Account> accounts_ ABSL_GUARDED_BY(mutex_);
  Epoch last_epoch_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<Store> MakeMemoryStore() { return std::make_unique<MemoryStore>(); }

}  // namespace sasld
