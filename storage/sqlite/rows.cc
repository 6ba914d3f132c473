#include "storage/sqlite/rows.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/account_record.h"

namespace sasld {
namespace {

enum Column { kName, kEpoch, kRecord, kDomain };

}  // namespace

std::string FindSql() { return "SELECT name, epoch, record FROM account WHERE name = ?1"; }

std::string FindByAliasSql() {
  return "SELECT name, epoch, record FROM account WHERE name = (SELECT name FROM alias WHERE alias "
         "= ?1)";
}

std::string ListSql() {
  return "SELECT name, epoch, record FROM account WHERE name >= ?1 ORDER BY name";
}

// The index is named so that a change that made it useless is an error, not a slow list.
std::string ListDomainSql() {
  return "SELECT name, epoch, record FROM account INDEXED BY account_of_domain "
         "WHERE domain = ?2 AND name >= ?1 ORDER BY name";
}

std::string InsertSql() {
  return "INSERT INTO account (name, epoch, record, domain) VALUES (?1, ?2, ?3, ?4)";
}

std::string UpdateSql() { return "UPDATE account SET epoch = ?2, record = ?3 WHERE name = ?1"; }

// The bytes of a column, for as long as the statement stands on its row.
std::string_view BytesOf(const SQLite::Column& column) {
  const auto* bytes = static_cast<const char*>(column.getBlob());
  return bytes == nullptr ? std::string_view()
                          : std::string_view(bytes, static_cast<size_t>(column.getBytes()));
}

absl::Status Damaged(const std::string& path, const absl::Status& what) {
  return absl::DataLossError(absl::StrCat(path, ": holds ", std::string(what.message()),
                                          "; restore the database from a backup"));
}

absl::StatusOr<Account> ReadAccount(SQLite::Statement& statement, const RecordKeys& keys,
                                    const std::string& path) {
  const std::string_view name = BytesOf(statement.getColumn(kName));
  const auto epoch = static_cast<Epoch>(statement.getColumn(kEpoch).getInt64());
  const absl::StatusOr<Secret> record =
      keys.Open(name, epoch, BytesOf(statement.getColumn(kRecord)));
  if (!record.ok()) return Damaged(path, record.status());
  absl::StatusOr<Account> account =
      ParseAccountRecord(Username::FromPrepared(std::string(name)), epoch, record->Reveal());
  if (!account.ok()) return Damaged(path, account.status());
  return account;
}

void BindAccount(SQLite::Statement& statement, const Account& account, Epoch epoch,
                 const RecordKeys& keys) {
  const std::string sealed = keys.Seal(account.name.str(), epoch, PrintAccountRecord(account));
  statement.bind(1 + kName, account.name.str());
  statement.bind(1 + kEpoch, static_cast<int64_t>(epoch));
  statement.bind(1 + kRecord, sealed.data(), static_cast<int>(sealed.size()));
}

void BindNewAccount(SQLite::Statement& statement, const Account& account, Epoch epoch,
                    const RecordKeys& keys) {
  BindAccount(statement, account, epoch, keys);
  if (const std::string_view domain = DomainOf(account.name); domain.empty()) {
    statement.bind(1 + kDomain);
  } else {
    statement.bind(1 + kDomain, std::string(domain));
  }
}

}  // namespace sasld
