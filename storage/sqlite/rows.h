// Between rows and accounts: the statements that read and write them, and their columns.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

#include "absl/status/statusor.h"
#include "storage/store.h"

namespace sasld {

inline constexpr char kFindSql[] =
    "SELECT name, enabled, epoch, created, password_changed, argon2id, scram_salt, "
    "scram_iterations, sha_256_stored, sha_256_server FROM account WHERE name = ?1";
inline constexpr char kListSql[] =
    "SELECT name, enabled, epoch, created, password_changed, argon2id, scram_salt, "
    "scram_iterations, sha_256_stored, sha_256_server FROM account WHERE name >= ?1 ORDER BY name";
inline constexpr char kInsertSql[] =
    "INSERT INTO account (name, enabled, epoch, created, password_changed, argon2id, scram_salt, "
    "scram_iterations, sha_256_stored, sha_256_server) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
    "?10)";
inline constexpr char kUpdateSql[] =
    "UPDATE account SET enabled = ?2, epoch = ?3, created = ?4, password_changed = ?5, "
    "argon2id = ?6, scram_salt = ?7, scram_iterations = ?8, sha_256_stored = ?9, "
    "sha_256_server = ?10 WHERE name = ?1";

// The account of the row that `statement` (of kFindSql or kListSql) stands on. DataLoss: the row
// makes no sense; the text names `path`, the database's.
absl::StatusOr<Account> ReadAccount(SQLite::Statement& statement, const std::string& path);

// Binds kInsertSql's and kUpdateSql's parameters. Secrets are not copied: `account` must live until
// the statement has run.
void BindAccount(SQLite::Statement& statement, const Account& account, Epoch epoch);

}  // namespace sasld
