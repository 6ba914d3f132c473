#include "storage/memory/memory_store.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/common/status_macros.h"
#include "storage/account_record.h"
#include "storage/domain_record.h"

namespace sasld {
namespace {

absl::Status NoSuchAccount() { return absl::NotFoundError("no such user"); }
absl::Status NoSuchDomain() { return absl::NotFoundError("no such domain"); }

class MemoryStore final : public Store {
 public:
  absl::StatusOr<Account> Find(const Username& name) const override {
    absl::ReaderMutexLock lock(&mutex_);
    const auto alias = names_by_alias_.find(name.str());
    const auto found = accounts_.find(alias == names_by_alias_.end() ? name.str() : alias->second);
    if (found == accounts_.end()) return NoSuchAccount();
    return WithDomain(found->second);
  }

  absl::StatusOr<Epoch> Create(const Account& account) override {
    RETURN_IF_ERROR(CheckAccount(account));
    absl::MutexLock lock(&mutex_);
    return Add(account);
  }

  absl::StatusOr<std::vector<absl::StatusOr<Written>>> CreateMany(std::span<const Account> accounts,
                                                                  IfThere if_there) override {
    absl::MutexLock lock(&mutex_);
    std::vector<absl::StatusOr<Written>> results;
    results.reserve(accounts.size());
    for (const Account& account : accounts) results.push_back(AddOrReplace(account, if_there));
    return results;
  }

  absl::StatusOr<Epoch> Update(const Account& account) override {
    RETURN_IF_ERROR(CheckAccount(account));
    absl::MutexLock lock(&mutex_);
    const auto found = accounts_.find(account.name.str());
    if (found == accounts_.end()) return NoSuchAccount();
    if (found->second.epoch != account.epoch) {
      return absl::AbortedError("the user was changed meanwhile");
    }
    RETURN_IF_ERROR(CheckAliases(account));
    return Write(account);
  }

  absl::Status Remove(const Username& name) override {
    absl::MutexLock lock(&mutex_);
    ForgetAliases(name.str());
    uses_.erase(name.str());
    return accounts_.erase(name.str()) == 1 ? absl::OkStatus() : NoSuchAccount();
  }

  absl::StatusOr<std::vector<Account>> List(const AccountQuery& query) const override {
    absl::ReaderMutexLock lock(&mutex_);
    std::vector<Account> page;
    auto next = accounts_.lower_bound(std::max(query.prefix, query.after));
    if (next != accounts_.end() && !query.after.empty() && next->first == query.after) ++next;
    for (; next != accounts_.end() && page.size() < query.limit; ++next) {
      if (!next->first.starts_with(query.prefix)) break;
      if (!query.domain.empty() && DomainOf(next->second.name) != query.domain) continue;
      page.push_back(WithDomain(next->second));
    }
    return page;
  }

  absl::StatusOr<uint64_t> Count() const override {
    absl::ReaderMutexLock lock(&mutex_);
    return accounts_.size();
  }

  absl::Status NoteUses(const std::vector<Use>& uses) override {
    absl::MutexLock lock(&mutex_);
    for (const Use& use : uses) {
      const auto account = accounts_.find(use.name.str());
      if (account == accounts_.end() || !HasCredential(account->second, use.app_password)) continue;
      LastUse last = use.last;
      last.time = absl::FromUnixSeconds(absl::ToUnixSeconds(last.time));
      LastUse& noted = uses_[use.name.str()][use.app_password];
      if (last.time >= noted.time) noted = std::move(last);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::map<std::string, LastUse>> UsesOf(const Username& name) const override {
    absl::ReaderMutexLock lock(&mutex_);
    const auto found = uses_.find(name.str());
    return found == uses_.end() ? std::map<std::string, LastUse>() : found->second;
  }

  absl::StatusOr<Domain> FindDomain(std::string_view name) const override {
    absl::ReaderMutexLock lock(&mutex_);
    const auto found = domains_.find(name);
    if (found == domains_.end()) return NoSuchDomain();
    return *found->second;
  }

  absl::StatusOr<Epoch> PutDomain(const Domain& domain) override {
    RETURN_IF_ERROR(CheckDomain(domain));
    absl::MutexLock lock(&mutex_);
    const auto found = domains_.find(domain.name);
    RETURN_IF_ERROR(CheckOverwrites(
        domain, found == domains_.end() ? std::nullopt : std::optional(found->second->epoch)));
    Domain stored = domain;
    stored.epoch = ++last_epoch_;
    domains_.insert_or_assign(domain.name, std::make_shared<const Domain>(std::move(stored)));
    return last_epoch_;
  }

  absl::Status RemoveDomain(std::string_view name) override {
    absl::MutexLock lock(&mutex_);
    return domains_.erase(std::string(name)) == 1 ? absl::OkStatus() : NoSuchDomain();
  }

  absl::StatusOr<std::vector<Domain>> ListDomains(std::string_view after,
                                                  size_t limit) const override {
    absl::ReaderMutexLock lock(&mutex_);
    std::vector<Domain> page;
    for (auto next = domains_.upper_bound(after); next != domains_.end() && page.size() < limit;
         ++next) {
      page.push_back(*next->second);
    }
    return page;
  }

  // Nothing is sealed where nothing is kept.
  absl::StatusOr<std::map<uint32_t, uint64_t>> CountByKey() const override {
    return std::map<uint32_t, uint64_t>();
  }
  absl::StatusOr<std::string> Reseal(const std::string&, size_t, const Amend&) override {
    return std::string();
  }
  absl::StatusOr<uint64_t> BackUp(const std::string&, const BackupWatch&) override {
    return absl::FailedPreconditionError("store.url is memory:, of which there are no backups");
  }
  absl::Status ForgetKey(uint32_t) override { return absl::OkStatus(); }

 private:
  Account WithDomain(const Account& account) const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    Account whole = CloneAccount(account);
    const auto domain = domains_.find(DomainOf(account.name));
    if (domain != domains_.end()) whole.domain = domain->second;
    return whole;
  }

  absl::StatusOr<Epoch> Add(const Account& account) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (accounts_.contains(account.name.str()) || names_by_alias_.contains(account.name.str())) {
      return absl::AlreadyExistsError("there is a user of that name");
    }
    RETURN_IF_ERROR(CheckAliases(account));
    return Write(account);
  }

  absl::StatusOr<Written> AddOrReplace(const Account& account, IfThere if_there)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    RETURN_IF_ERROR(CheckAccount(account));
    if (if_there == IfThere::kReplace && accounts_.contains(account.name.str())) {
      RETURN_IF_ERROR(CheckAliases(account));
      ASSIGN_OR_RETURN(const Epoch epoch, Write(account));
      return Written{epoch, true};
    }
    ASSIGN_OR_RETURN(const Epoch epoch, Add(account));
    return Written{epoch, false};
  }

  // Whether nobody else has any of them, and none is there twice.
  absl::Status CheckAliases(const Account& account) const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    std::set<std::string> seen;
    for (const Username& alias : account.aliases) {
      const auto owner = names_by_alias_.find(alias.str());
      const bool others = owner != names_by_alias_.end() && owner->second != account.name.str();
      if (others || accounts_.contains(alias.str()) || alias == account.name ||
          !seen.insert(alias.str()).second) {
        return absl::AlreadyExistsError("an alias is another user's name or alias");
      }
    }
    return absl::OkStatus();
  }

  void ForgetAliases(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::erase_if(names_by_alias_, [&name](const auto& entry) { return entry.second == name; });
  }

  // As it is read back: through its record, which has whole seconds.
  absl::StatusOr<Epoch> Write(const Account& account) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ASSIGN_OR_RETURN(Account stored, ParseAccountRecord(account.name, last_epoch_ + 1,
                                                        PrintAccountRecord(account).Reveal()));
    ForgetAliases(account.name.str());
    for (const Username& alias : stored.aliases) {
      names_by_alias_.emplace(alias.str(), stored.name.str());
    }
    if (const auto uses = uses_.find(stored.name.str()); uses != uses_.end()) {
      std::erase_if(uses->second,
                    [&stored](const auto& use) { return !HasCredential(stored, use.first); });
    }
    accounts_.insert_or_assign(stored.name.str(), std::move(stored));
    return ++last_epoch_;
  }

  mutable absl::Mutex mutex_;
  std::map<std::string, std::shared_ptr<const Domain>, std::less<>> domains_
      ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Account> accounts_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> names_by_alias_ ABSL_GUARDED_BY(mutex_);
  // By the account's name, and then as UsesOf() yields them.
  std::map<std::string, std::map<std::string, LastUse>> uses_ ABSL_GUARDED_BY(mutex_);
  Epoch last_epoch_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<Store> MakeMemoryStore() { return std::make_unique<MemoryStore>(); }

}  // namespace sasld
