#include "server/auth/account_lookups.h"

#include <utility>

#include "proto/common/status_macros.h"
#include "server/auth/access.h"

namespace sasld {
absl::StatusOr<AccountFacts> AccountLookups::Find(std::string_view name, absl::Time now) const {
  const absl::StatusOr<Username> prepared = Username::Prepare(name);
  if (!prepared.ok()) return absl::NotFoundError("no such user");
  ASSIGN_OR_RETURN(const Account account, directory_.Find(*prepared));
  return AccountFacts{account.name, IsInForce(account, now), AttributesOf(account)};
}

absl::StatusOr<std::vector<std::string>> AccountLookups::NamesAfter(std::string_view after) const {
  AccountQuery query;
  query.after = std::string(after);
  query.limit = kNamesPerPage;
  ASSIGN_OR_RETURN(const std::vector<Account> page, store_.List(query));
  std::vector<std::string> names;
  names.reserve(page.size());
  for (const Account& account : page) names.push_back(account.name.str());
  return names;
}

}  // namespace sasld
