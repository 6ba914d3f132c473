// Lists that are told a page at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "proto/common/status_macros.h"
#include "storage/store.h"

namespace sasld {

// Of a page that `wanted` asks for; 0: it does not say.
inline uint32_t PageSize(uint32_t wanted) {
  constexpr uint32_t kDefault = 1000;
  constexpr uint32_t kMost = 10000;
  return wanted == 0 ? kDefault : std::min(wanted, kMost);
}

// Fills `reply` with the accounts that `query` asks for, each by `fill(account, message)`, and with
// the token of the next page if there is one.
template <typename Reply, typename Fill>
absl::Status FillPage(const Store& store, AccountQuery query, Reply& reply, Fill fill) {
  const size_t page = query.limit;
  ++query.limit;  // one more than asked for tells whether there is another page
  ASSIGN_OR_RETURN(const std::vector<Account> accounts, store.List(query));
  for (const Account& account : accounts) {
    if (static_cast<size_t>(reply.users_size()) == page) {
      reply.set_next_page_token(reply.users(reply.users_size() - 1).name());
      break;
    }
    fill(account, *reply.add_users());
  }
  return absl::OkStatus();
}

}  // namespace sasld
