#include "server/auth/key_rotation.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"

namespace sasld {
namespace {

// Records of one transaction: some milliseconds, in which other writes wait.
constexpr size_t kBatch = 200;
// Between two batches other writes get their turn.
constexpr absl::Duration kPause = absl::Milliseconds(5);
// After a failure, such as of a full disk.
constexpr absl::Duration kRetryAfter = absl::Minutes(1);

}  // namespace

void AddRecordKeys(const ClusterKeys& keys, RecordKeys& record_keys) {
  for (const ClusterKey& key : keys.keys) record_keys.Add(key.id, key.record.Clone());
}

std::map<uint32_t, Secret> PeppersOf(const ClusterKeys& keys) {
  std::map<uint32_t, Secret> peppers;
  for (const ClusterKey& key : keys.keys) peppers.emplace(key.id, key.pepper.Clone());
  return peppers;
}

KeyRotation::KeyRotation(Store& store, RecordKeys& record_keys, PasswordHasher& hasher,
                         std::string key_file, Entropy& entropy,
                         std::shared_ptr<spdlog::logger> log)
    : store_(store),
      record_keys_(record_keys),
      hasher_(hasher),
      key_file_(std::move(key_file)),
      entropy_(entropy),
      log_(std::move(log)),
      // A change that a process before did not live to end, or a key that was added by hand.
      wanted_(record_keys.Ids().size() > 1) {}

absl::StatusOr<std::vector<KeyRotation::Key>> KeyRotation::Keys() const {
  ASSIGN_OR_RETURN(auto users, store_.CountByKey());
  std::vector<Key> keys;
  for (const uint32_t id : record_keys_.Ids()) {
    keys.push_back({id, id == record_keys_.current(), users[id]});
  }
  return keys;
}

bool KeyRotation::Running() const {
  absl::MutexLock lock(&mutex_);
  return wanted_ || running_;
}

absl::StatusOr<uint32_t> KeyRotation::Rotate() {
  absl::MutexLock file_lock(&file_mutex_);
  ASSIGN_OR_RETURN(const ClusterKeys keys, AddKey(key_file_, entropy_));
  hasher_.Adopt(PeppersOf(keys));
  AddRecordKeys(keys, record_keys_);
  log_->info("key {} is the current one; seals all users anew in the background",
             keys.current().id);
  absl::MutexLock lock(&mutex_);
  wanted_ = true;
  return keys.current().id;
}

absl::Status KeyRotation::Retire(uint32_t id) {
  absl::MutexLock file_lock(&file_mutex_);
  if (id == record_keys_.current()) {
    return absl::FailedPreconditionError(
        absl::StrCat("key ", id, " is the current one; change to another first"));
  }
  if (!record_keys_.Has(id)) return absl::NotFoundError(absl::StrCat("there is no key ", id));
  RETURN_IF_ERROR(Pass());
  RETURN_IF_ERROR(store_.ForgetKey(id));
  ASSIGN_OR_RETURN(const ClusterKeys keys, RemoveKey(key_file_, id));
  record_keys_.Drop(id);
  hasher_.Adopt(PeppersOf(keys));
  log_->info("key {} was retired", id);
  return absl::OkStatus();
}

absl::Status KeyRotation::Pass() {
  const auto amend = [this](Account& account) { return hasher_.CarryPepper(account.credential); };
  std::string after;
  do {
    ASSIGN_OR_RETURN(after, store_.Reseal(after, kBatch, amend));
    absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kPause)) {
      return absl::UnavailableError("sasld is stopping; it goes on at the next start");
    }
  } while (!after.empty());
  return absl::OkStatus();
}

void KeyRotation::Run() {
  const auto something_to_do = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return wanted_ || stopping_;
  };
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&something_to_do));
      if (stopping_) return;
      wanted_ = false;
      running_ = true;
    }
    const absl::Status status = Pass();
    absl::MutexLock lock(&mutex_);
    running_ = false;
    if (status.ok()) {
      log_->info("all users are sealed under key {}", record_keys_.current());
    } else if (!stopping_) {
      log_->error("not all users are sealed under key {} yet, tries again: {}",
                  record_keys_.current(), std::string(status.message()));
      wanted_ = !mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kRetryAfter);
    }
  }
}

void KeyRotation::Stop() {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
}

}  // namespace sasld
