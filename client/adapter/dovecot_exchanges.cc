#include "client/adapter/dovecot_exchanges.h"

#include <algorithm>
#include <utility>

namespace sasld {

DovecotExchange* DovecotExchanges::Begin(DovecotAuthLine auth) {
  if (!MakeRoom()) return nullptr;
  exchanges_.push_back({++begun_, std::move(auth), ServersTurn{true}});
  return &exchanges_.back();
}

DovecotExchange* DovecotExchanges::Find(uint32_t id) {
  for (DovecotExchange& exchange : exchanges_) {
    if (exchange.auth.id == id) return &exchange;
  }
  return nullptr;
}

DovecotExchange* DovecotExchanges::FindNumber(uint64_t number) {
  for (DovecotExchange& exchange : exchanges_) {
    if (exchange.number == number) return &exchange;
  }
  return nullptr;
}

void DovecotExchanges::Erase(DovecotExchange& exchange) {
  if (&exchange != &exchanges_.back()) exchange = std::move(exchanges_.back());
  exchanges_.pop_back();
  // An idle connection keeps room for a few, not for a peak of long ago.
  if (exchanges_.empty() && exchanges_.capacity() > 8) exchanges_ = {};
}

void DovecotExchanges::ForgetSilent(absl::Time now) {
  for (DovecotExchange& exchange : exchanges_) {
    if (exchange.waits_for_client() && exchange.waits_since == absl::InfinitePast()) {
      exchange.waits_since = now;
    }
  }
  std::erase_if(exchanges_, [now](const DovecotExchange& exchange) {
    return exchange.waits_for_client() && now - exchange.waits_since > kClientSilence;
  });
}

bool DovecotExchanges::MakeRoom() {
  if (exchanges_.size() < kMaxLive) return true;
  DovecotExchange* oldest = nullptr;
  for (DovecotExchange& exchange : exchanges_) {
    if (!exchange.waits_for_client()) continue;
    if (!oldest || exchange.number < oldest->number) oldest = &exchange;
  }
  if (oldest) Erase(*oldest);
  return oldest != nullptr;
}

}  // namespace sasld
