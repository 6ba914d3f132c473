#include "storage/sqlite/reads.h"

#include <algorithm>
#include <utility>

#include "proto/common/status_macros.h"
#include "storage/sqlite/row_number.h"
#include "storage/sqlite/rows.h"

namespace sasld {

absl::StatusOr<Account> FindAccount(Reader& reader, const Username& name, bool any_domain,
                                    const RecordKeys& keys, const std::string& path) {
  const auto read = [&](SQLite::Statement& found) {
    return any_domain ? ReadAccount(found, keys, path) : ReadBareAccount(found, keys, path);
  };
  {
    SQLite::Statement& find = any_domain ? reader.find_numbered() : reader.find_bare_numbered();
    const ResetAtEnd reset(find);
    find.bindNoCopy(1, name.str());
    find.bind(2, RowNumberOf(name.str()));
    if (find.executeStep()) return read(find);
  }
  {
    SQLite::Statement& find = any_domain ? reader.find() : reader.find_bare();
    const ResetAtEnd reset(find);
    find.bindNoCopy(1, name.str());
    if (find.executeStep()) return read(find);
  }
  const ResetAtEnd reset_alias(reader.find_by_alias());
  reader.find_by_alias().bindNoCopy(1, name.str());
  if (!reader.find_by_alias().executeStep()) return absl::NotFoundError("no such user");
  ASSIGN_OR_RETURN(Account account, ReadAccount(reader.find_by_alias(), keys, path));
  // The table is an index; what the sealed record says, counts.
  if (std::find(account.aliases.begin(), account.aliases.end(), name) == account.aliases.end()) {
    return Damaged(path, absl::DataLossError("an alias that is not its account's"));
  }
  return account;
}

absl::StatusOr<std::vector<Account>> ListAccounts(Reader& reader, const AccountQuery& query,
                                                  const RecordKeys& keys, const std::string& path) {
  const std::string from = std::max(query.prefix, query.after);
  SQLite::Statement& list = query.domain.empty() ? reader.list() : reader.list_domain();
  const ResetAtEnd reset(list);
  list.bindNoCopy(1, from);
  if (!query.domain.empty()) list.bindNoCopy(2, query.domain);
  std::vector<Account> page;
  while (page.size() < query.limit && list.executeStep()) {
    ASSIGN_OR_RETURN(Account account, ReadAccount(list, keys, path));
    if (!query.after.empty() && account.name.str() == query.after) continue;
    // Names are in order of their bytes, so those with the prefix stand together.
    if (!account.name.str().starts_with(query.prefix)) break;
    page.push_back(std::move(account));
  }
  return page;
}

}  // namespace sasld
