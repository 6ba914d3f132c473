#include "storage/sqlite/rows.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "storage/account_record.h"
#include "storage/sqlite/domains.h"
#include "storage/sqlite/row_number.h"

namespace sasld {
namespace {

enum Column { kName, kEpoch, kRecord, kDomain, kDomainEpoch, kDomainRecord };
constexpr int kNumberOfNew = 5;  // InsertSql's parameter

// One statement reads both: a second one would cost a login more than the join does.
constexpr char kSelect[] =
    "SELECT account.name, account.epoch, account.record, account.domain, domain.epoch, "
    "domain.record FROM account ";
constexpr char kJoin[] = "LEFT JOIN domain ON domain.name = account.domain ";

}  // namespace

std::string FindSql() { return absl::StrCat(kSelect, kJoin, "WHERE account.name = ?1"); }

std::string FindNumberedSql() {
  return absl::StrCat(kSelect, kJoin, "WHERE account.number = ?2 AND account.name = ?1");
}

std::string FindByAliasSql() {
  return absl::StrCat(kSelect, kJoin,
                      "WHERE account.name = (SELECT name FROM alias WHERE alias = ?1)");
}

std::string ListSql() {
  return absl::StrCat(kSelect, kJoin, "WHERE account.name >= ?1 ORDER BY account.name");
}

// The index is named so that a change that made it useless is an error, not a slow list.
std::string ListDomainSql() {
  return absl::StrCat(kSelect, "INDEXED BY account_of_domain ", kJoin,
                      "WHERE account.domain = ?2 AND account.name >= ?1 ORDER BY account.name");
}

std::string FindBareSql() {
  return "SELECT name, epoch, record, domain FROM account WHERE name = ?1";
}

std::string FindBareNumberedSql() {
  return "SELECT name, epoch, record, domain FROM account WHERE number = ?2 AND name = ?1";
}

std::string ListBareSql() {
  return "SELECT name, epoch, record, domain FROM account WHERE name >= ?1 ORDER BY name";
}

std::string InsertSql() {
  return "INSERT INTO account (name, epoch, record, domain, number) VALUES (?1, ?2, ?3, ?4, "
         "CASE WHEN EXISTS (SELECT 1 FROM account WHERE number = ?5) THEN NULL ELSE ?5 END)";
}

std::string UpdateSql() { return "UPDATE account SET epoch = ?2, record = ?3 WHERE name = ?1"; }

std::string RenumberSql() {
  return "UPDATE account SET number = ?2 WHERE name = ?1 AND number <> ?2 "
         "AND NOT EXISTS (SELECT 1 FROM account WHERE number = ?2)";
}

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

absl::StatusOr<Account> ReadBareAccount(SQLite::Statement& statement, const RecordKeys& keys,
                                        const std::string& path) {
  const std::string_view name = BytesOf(statement.getColumn(kName));
  const auto epoch = static_cast<Epoch>(statement.getColumn(kEpoch).getInt64());
  const absl::StatusOr<Secret> record =
      keys.Open(name, epoch, BytesOf(statement.getColumn(kRecord)));
  if (!record.ok()) return Damaged(path, record.status());
  absl::StatusOr<Account> account =
      ParseAccountRecord(Username::FromPrepared(std::string(name)), epoch, record->Reveal());
  if (!account.ok()) return Damaged(path, account.status());
  // The column is an index. Were it believed, a hand that changes it could rid an account of what
  // its domain demands.
  if (BytesOf(statement.getColumn(kDomain)) != DomainOf(account->name)) {
    return Damaged(path, absl::DataLossError("an account that stands in another's domain"));
  }
  return account;
}

absl::StatusOr<Account> ReadAccount(SQLite::Statement& statement, const RecordKeys& keys,
                                    const std::string& path) {
  ASSIGN_OR_RETURN(Account account, ReadBareAccount(statement, keys, path));
  if (statement.getColumn(kDomainEpoch).isNull()) return account;
  ASSIGN_OR_RETURN(Domain domain, ReadDomain(statement, kDomain, keys, path));
  account.domain = std::make_shared<const Domain>(std::move(domain));
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
  statement.bind(kNumberOfNew, RowNumberOf(account.name.str()));
}

}  // namespace sasld
