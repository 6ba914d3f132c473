#include "server/auth/last_use.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace sasld {

void LastUses::Note(const Username& account, std::string_view app_password, LastUse last) {
  Key key(account.str(), app_password);
  absl::MutexLock lock(&mutex_);
  if (waiting_.size() >= kMostWaiting && !waiting_.contains(key)) return;
  waiting_.insert_or_assign(std::move(key), std::move(last));
}

absl::Status LastUses::Flush() {
  Waiting taken;
  {
    absl::MutexLock lock(&mutex_);
    taken.swap(waiting_);
  }
  std::vector<Use> uses;
  uses.reserve(taken.size());
  for (auto& [key, last] : taken) {
    uses.push_back({Username::FromPrepared(key.first), key.second, std::move(last)});
  }
  for (auto begin = uses.begin(); begin != uses.end();) {
    const auto end = begin + std::min<ptrdiff_t>(kBatch, uses.end() - begin);
    std::vector<Use> batch(std::make_move_iterator(begin), std::make_move_iterator(end));
    if (const absl::Status status = store_.NoteUses(batch); !status.ok()) {
      failures_.Add();
      std::move(batch.begin(), batch.end(), begin);
      absl::MutexLock lock(&mutex_);
      for (; begin != uses.end(); ++begin) {
        waiting_.emplace(Key(begin->name.str(), begin->app_password), std::move(begin->last));
      }
      return status;
    }
    begin = end;
  }
  return absl::OkStatus();
}

size_t LastUses::waiting() const {
  absl::MutexLock lock(&mutex_);
  return waiting_.size();
}

}  // namespace sasld
