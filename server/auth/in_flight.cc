#include "server/auth/in_flight.h"

#include <atomic>
#include <utility>

namespace sasld {

// Its callbacks are called without the lock; all else is guarded by it.
struct InFlight::Waiter {
  ClaimMac::Value key;
  std::shared_ptr<const std::atomic<bool>> gone;
  Hashing hashing;
  OnVerdict done;
  Lane::Place place;
  Waiters::iterator position{};

  bool HasGone() const { return gone && gone->load(std::memory_order_relaxed); }
};

void InFlight::Check(const ClaimMac::Value& key, const Caller& caller, Hashing hashing,
                     OnVerdict done) {
  auto waiter = std::make_shared<Waiter>(
      Waiter{key, caller.gone, std::move(hashing), std::move(done), nullptr});
  absl::Status taken;
  {
    absl::MutexLock lock(&mutex_);
    std::unique_ptr<Flight>& flight = flights_[key];
    if (!flight) flight = std::make_unique<Flight>();
    if (flight->hashing && Join(*flight, waiter)) return;
    waiter->position = flight->in_lane.insert(flight->in_lane.end(), waiter);
    taken = lane_.Submit(
        caller.source, caller.deadline, [this, waiter](Lane::Turn turn) { TakeTurn(waiter, turn); },
        &waiter->place);
    if (taken.ok()) return;
    flight->in_lane.erase(waiter->position);
    RemoveIfOver(key);
  }
  std::move(waiter->done)(taken);
}

void InFlight::TakeTurn(const std::shared_ptr<Waiter>& waiter, Lane::Turn turn) {
  const bool too_late = turn == Lane::Turn::kTooLate || waiter->HasGone();
  bool hashes_for_all = false;
  {
    absl::MutexLock lock(&mutex_);
    Flight& flight = *flights_.at(waiter->key);
    flight.in_lane.erase(waiter->position);
    waiter->place.reset();
    if (too_late) {
      RemoveIfOver(waiter->key);
    } else if (!flight.hashing) {
      flight.hashing = hashes_for_all = true;
      JoinAllInLane(flight);
    } else if (Join(flight, waiter)) {
      return;
    }
  }
  if (too_late) {
    std::move(waiter->done)(absl::DeadlineExceededError("waited too long to be checked"));
    return;
  }
  const absl::StatusOr<PasswordAnswer> answer = std::move(waiter->hashing)();
  Waiters joined;
  if (hashes_for_all) joined = Land(waiter->key);
  std::move(waiter->done)(answer);
  for (const std::shared_ptr<Waiter>& other : joined) std::move(other->done)(answer);
}

bool InFlight::Join(Flight& flight, std::shared_ptr<Waiter> waiter) {
  if (flight.joined.size() >= lane_.limits().per_source) return false;
  waiter->hashing = nullptr;  // with the password in it
  flight.joined.push_back(std::move(waiter));
  joined_.Add();
  return true;
}

// Who has gone, or has waited too long, stays: the lane comes to it.
void InFlight::JoinAllInLane(Flight& flight) {
  for (auto next = flight.in_lane.begin(); next != flight.in_lane.end();) {
    const std::shared_ptr<Waiter> waiter = *next;
    if (flight.joined.size() >= lane_.limits().per_source) return;
    if (waiter->HasGone() || !lane_.Withdraw(waiter->place)) {
      ++next;
      continue;
    }
    waiter->place.reset();
    next = flight.in_lane.erase(next);
    Join(flight, waiter);
  }
}

// Ends the hash; who comes from now on needs another.
InFlight::Waiters InFlight::Land(const ClaimMac::Value& key) {
  absl::MutexLock lock(&mutex_);
  Flight& flight = *flights_.at(key);
  flight.hashing = false;
  Waiters joined = std::exchange(flight.joined, {});
  RemoveIfOver(key);
  return joined;
}

void InFlight::RemoveIfOver(const ClaimMac::Value& key) {
  const auto found = flights_.find(key);
  if (found->second->in_lane.empty() && !found->second->hashing) flights_.erase(found);
}

size_t InFlight::size() const {
  absl::MutexLock lock(&mutex_);
  return flights_.size();
}

}  // namespace sasld
