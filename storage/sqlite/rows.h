// Between rows and accounts: the statements that read and write them, and their columns.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/record_keys.h"
#include "storage/store.h"

namespace sasld {

// Statements on whole rows: name, epoch, record, domain, and the domain's epoch and record, NULL if
// there is none. ?1 is the name.
std::string FindSql();
// The same, and the row must have the number ?2.
std::string FindNumberedSql();
// By an alias, ?1.
std::string FindByAliasSql();
std::string ListSql();
// Of the domain ?2 alone.
std::string ListDomainSql();
// As FindSql and ListSql without the domain's: for whom an account is the same whatever its domain
// has, and while there are no domains.
std::string FindBareSql();
std::string FindBareNumberedSql();
std::string ListBareSql();
std::string InsertSql();
std::string UpdateSql();
// Gives the row of the name ?1 the number ?2, unless that is taken.
std::string RenumberSql();

// The bytes of a column, for as long as the statement stands on its row.
std::string_view BytesOf(const SQLite::Column& column);

// What is wrong with an account, as an error that names the database and says what to do.
absl::Status Damaged(const std::string& path, const absl::Status& what);

// The account of the row that `statement` (of any of the above) stands on, without its domain.
// DataLoss: the row makes no sense; the text names `path`, the database's.
absl::StatusOr<Account> ReadBareAccount(SQLite::Statement& statement, const RecordKeys& keys,
                                        const std::string& path);
// With its domain; not of FindBareSql and ListBareSql.
absl::StatusOr<Account> ReadAccount(SQLite::Statement& statement, const RecordKeys& keys,
                                    const std::string& path);

// Binds UpdateSql's parameters.
void BindAccount(SQLite::Statement& statement, const Account& account, Epoch epoch,
                 const RecordKeys& keys);
// Binds InsertSql's.
void BindNewAccount(SQLite::Statement& statement, const Account& account, Epoch epoch,
                    const RecordKeys& keys);

}  // namespace sasld
