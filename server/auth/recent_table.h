// A table that never holds more than so many entries: the ones that were not touched for longest
// make room for new ones.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace sasld {

// Not thread-safe. Amortised O(1).
template <class Key, class Value>
class RecentTable {
 public:
  // `most`: even. Whatever was touched is there until so many as half of it came new.
  explicit RecentTable(size_t most) : half_(std::max<size_t>(1, most / 2)) {}

  // Null: there is no such entry, or none any more. Valid until the next Touch().
  const Value* Find(const Key& key) const {
    if (const auto found = young_.find(key); found != young_.end()) return &found->second;
    if (const auto found = old_.find(key); found != old_.end()) return &found->second;
    return nullptr;
  }

  // The entry of `key`, an empty one if there is none. Valid until the next Touch().
  Value& Touch(const Key& key) {
    if (const auto found = young_.find(key); found != young_.end()) return found->second;
    Value value{};
    if (const auto found = old_.find(key); found != old_.end()) {
      value = std::move(found->second);
      old_.erase(found);
    }
    // The elder half goes as a whole, so that nothing has to be kept in order.
    if (young_.size() >= half_) old_ = std::exchange(young_, {});
    return young_.emplace(key, std::move(value)).first->second;
  }

  size_t size() const { return young_.size() + old_.size(); }

 private:
  const size_t half_;
  absl::flat_hash_map<Key, Value> young_;
  absl::flat_hash_map<Key, Value> old_;
};

}  // namespace sasld
