// A store whose reads or writes fail when told to, as those of a broken disk do.
#pragma once

#include <atomic>
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

  absl::StatusOr<Account> Find(const Username& name) const override {
    if (fail_reads_) return Broken();
    return store_->Find(name);
  }
  absl::StatusOr<Epoch> Create(const Account& account) override {
    if (fail_writes_) return Broken();
    return store_->Create(account);
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

 private:
  static absl::Status Broken() { return absl::UnavailableError("the disk is on strike"); }

  const std::unique_ptr<Store> store_;
  std::atomic<bool> fail_reads_ = false;
  std::atomic<bool> fail_writes_ = false;
};

}  // namespace sasld
