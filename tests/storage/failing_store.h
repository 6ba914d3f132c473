// A store whose reads or writes fail when told to, as those of a broken disk do.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "storage/store.h"

namespace sasld {

// Thread-safe, as the store it wraps.
class FailingStore final : public Store {
 public:
  explicit FailingStore(std::unique_ptr<Store> store) : store_(std::move(store)) {}

  void FailReads(bool fail) { fail_reads_ = fail; }
  void FailWrites(bool fail) { fail_writes_ = fail; }

  // What Find() calls from now on once it has read. Not to be set while others read.
  void AfterFind(std::function<void()> call) { after_find_ = std::move(call); }

  absl::StatusOr<Account> Find(const Username& name) const override {
    if (fail_reads_) return Broken();
    absl::StatusOr<Account> found = store_->Find(name);
    if (after_find_) after_find_();
    return found;
  }
  absl::StatusOr<Epoch> Create(const Account& account) override {
    if (fail_writes_) return Broken();
    return store_->Create(account);
  }
  absl::StatusOr<std::vector<absl::StatusOr<Written>>> CreateMany(std::span<const Account> accounts,
                                                                  IfThere if_there) override {
    if (fail_writes_) return Broken();
    return store_->CreateMany(accounts, if_there);
  }
  absl::StatusOr<Epoch> Update(const Account& account) override {
    if (fail_writes_) return Broken();
    return store_->Update(account);
  }
  absl::Status Remove(const Username& name) override {
    if (fail_writes_) return Broken();
    return store_->Remove(name);
  }
  absl::StatusOr<std::vector<Account>> List(const AccountQuery& query) const override {
    if (fail_reads_) return Broken();
    return store_->List(query);
  }
  absl::StatusOr<uint64_t> Count() const override {
    if (fail_reads_) return Broken();
    return store_->Count();
  }
  absl::Status NoteUses(const std::vector<Use>& uses) override {
    if (fail_writes_) return Broken();
    return store_->NoteUses(uses);
  }
  absl::StatusOr<std::map<std::string, LastUse>> UsesOf(const Username& name) const override {
    if (fail_reads_) return Broken();
    return store_->UsesOf(name);
  }
  absl::StatusOr<Domain> FindDomain(std::string_view name) const override {
    if (fail_reads_) return Broken();
    return store_->FindDomain(name);
  }
  absl::StatusOr<Epoch> PutDomain(const Domain& domain) override {
    if (fail_writes_) return Broken();
    return store_->PutDomain(domain);
  }
  absl::Status RemoveDomain(std::string_view name) override {
    if (fail_writes_) return Broken();
    return store_->RemoveDomain(name);
  }
  absl::StatusOr<std::vector<Domain>> ListDomains(std::string_view after,
                                                  size_t limit) const override {
    if (fail_reads_) return Broken();
    return store_->ListDomains(after, limit);
  }
  absl::StatusOr<std::map<uint32_t, uint64_t>> CountByKey() const override {
    if (fail_reads_) return Broken();
    return store_->CountByKey();
  }
  absl::StatusOr<std::string> Reseal(const std::string& after, size_t limit,
                                     const Amend& amend) override {
    if (fail_writes_) return Broken();
    return store_->Reseal(after, limit, amend);
  }
  absl::StatusOr<uint64_t> BackUp(const std::string& path, const BackupWatch& watch) override {
    if (fail_reads_) return Broken();
    return store_->BackUp(path, watch);
  }
  absl::Status ForgetKey(uint32_t id) override {
    if (fail_writes_) return Broken();
    return store_->ForgetKey(id);
  }

 private:
  static absl::Status Broken() { return absl::UnavailableError("the disk is on strike"); }

  const std::unique_ptr<Store> store_;
  std::function<void()> after_find_;
  std::atomic<bool> fail_reads_ = false;
  std::atomic<bool> fail_writes_ = false;
};

}  // namespace sasld
