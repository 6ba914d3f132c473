#include "storage/sqlite/writes.h"

#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "storage/account_record.h"
#include "storage/sqlite/domains.h"
#include "storage/sqlite/epoch_counter.h"
#include "storage/sqlite/last_uses.h"
#include "storage/sqlite/reader.h"
#include "storage/sqlite/row_number.h"
#include "storage/sqlite/rows.h"

namespace sasld {
namespace {

absl::Status NoSuchAccount() { return absl::NotFoundError("no such user"); }

// The statements that writing an account takes, prepared once for as many as are written.
class AccountWriter {
 public:
  AccountWriter(SQLite::Database& database, const RecordKeys& keys)
      : keys_(keys),
        epochs_(database),
        epoch_of_(database, "SELECT epoch FROM account WHERE name = ?1"),
        owner_of_alias_(database, "SELECT name FROM alias WHERE alias = ?1"),
        insert_(database, InsertSql()),
        update_(database, UpdateSql()),
        clear_aliases_(database, "DELETE FROM alias WHERE name = ?1"),
        insert_alias_(database, "INSERT INTO alias (alias, name) VALUES (?1, ?2)") {}

  // The account's epoch, if there is one of that name.
  std::optional<Epoch> EpochOf(const std::string& name) {
    const ResetAtEnd reset(epoch_of_);
    epoch_of_.bindNoCopy(1, name);
    if (!epoch_of_.executeStep()) return std::nullopt;
    return static_cast<Epoch>(epoch_of_.getColumn(0).getInt64());
  }

  absl::StatusOr<Epoch> Insert(const Account& account) {
    RETURN_IF_ERROR(CheckAccount(account));
    if (EpochOf(account.name.str()) || OwnerOfAlias(account.name.str())) {
      return absl::AlreadyExistsError("there is a user of that name");
    }
    RETURN_IF_ERROR(CheckAliases(account));
    const Epoch epoch = epochs_.Draw();
    const ResetAtEnd reset(insert_);
    BindNewAccount(insert_, account, epoch, keys_);
    insert_.exec();
    WriteAliases(account);
    return epoch;
  }

  // Over the one of that name, which there is.
  absl::StatusOr<Epoch> Replace(const Account& account) {
    RETURN_IF_ERROR(CheckAccount(account));
    RETURN_IF_ERROR(CheckAliases(account));
    const Epoch epoch = epochs_.Draw();
    const ResetAtEnd reset(update_);
    BindAccount(update_, account, epoch, keys_);
    update_.exec();
    const ResetAtEnd reset_clear(clear_aliases_);
    clear_aliases_.bindNoCopy(1, account.name.str());
    clear_aliases_.exec();
    WriteAliases(account);
    return epoch;
  }

 private:
  std::optional<std::string> OwnerOfAlias(const std::string& alias) {
    const ResetAtEnd reset(owner_of_alias_);
    owner_of_alias_.bindNoCopy(1, alias);
    if (!owner_of_alias_.executeStep()) return std::nullopt;
    return std::string(BytesOf(owner_of_alias_.getColumn(0)));
  }

  // Names and aliases are one set: whatever somebody logs in by means one account. Before anything
  // is written, as others of the same transaction stay.
  absl::Status CheckAliases(const Account& account) {
    std::set<std::string> seen = {account.name.str()};
    for (const Username& alias : account.aliases) {
      const std::optional<std::string> owner = OwnerOfAlias(alias.str());
      if (!seen.insert(alias.str()).second || (owner && *owner != account.name.str()) ||
          EpochOf(alias.str())) {
        return absl::AlreadyExistsError("an alias is another user's name or alias");
      }
    }
    return absl::OkStatus();
  }

  void WriteAliases(const Account& account) {
    for (const Username& alias : account.aliases) {
      const ResetAtEnd reset(insert_alias_);
      insert_alias_.bindNoCopy(1, alias.str());
      insert_alias_.bindNoCopy(2, account.name.str());
      insert_alias_.exec();
    }
  }

  const RecordKeys& keys_;
  EpochCounter epochs_;
  SQLite::Statement epoch_of_;
  SQLite::Statement owner_of_alias_;
  SQLite::Statement insert_;
  SQLite::Statement update_;
  SQLite::Statement clear_aliases_;
  SQLite::Statement insert_alias_;
};

// Counter 'accounts' is changed with the accounts, so that nobody ever needs to count them.
void CountAccounts(SQLite::Database& database, int64_t more) {
  SQLite::Statement count(database,
                          "UPDATE counter SET value = value + ?1 WHERE name = 'accounts'");
  count.bind(1, more);
  count.exec();
}

}  // namespace

absl::StatusOr<Epoch> InsertAccount(SQLite::Database& database, const Account& account,
                                    const RecordKeys& keys) {
  ASSIGN_OR_RETURN(const Epoch epoch, AccountWriter(database, keys).Insert(account));
  CountAccounts(database, 1);
  return epoch;
}

std::vector<absl::StatusOr<Written>> WriteAccounts(SQLite::Database& database,
                                                   std::span<const Account> accounts,
                                                   IfThere if_there, const RecordKeys& keys) {
  AccountWriter writer(database, keys);
  int64_t added = 0;
  std::vector<absl::StatusOr<Written>> results;
  results.reserve(accounts.size());
  for (const Account& account : accounts) {
    const bool replace = if_there == IfThere::kReplace && writer.EpochOf(account.name.str());
    const absl::StatusOr<Epoch> epoch = replace ? writer.Replace(account) : writer.Insert(account);
    if (epoch.ok()) {
      if (!replace) ++added;
      results.emplace_back(Written{*epoch, replace});
    } else {
      results.emplace_back(epoch.status());
    }
  }
  CountAccounts(database, added);
  return results;
}

absl::StatusOr<Epoch> UpdateAccount(SQLite::Database& database, const Account& account,
                                    const RecordKeys& keys) {
  AccountWriter writer(database, keys);
  const std::optional<Epoch> current = writer.EpochOf(account.name.str());
  if (!current) return NoSuchAccount();
  if (*current != account.epoch) return absl::AbortedError("the user was changed meanwhile");
  ASSIGN_OR_RETURN(const Epoch epoch, writer.Replace(account));
  DropUsesOfRevoked(database, account);
  return epoch;
}

absl::Status RemoveAccount(SQLite::Database& database, const Username& name) {
  SQLite::Statement remove(database, "DELETE FROM account WHERE name = ?1");
  remove.bindNoCopy(1, name.str());
  if (remove.exec() != 1) return NoSuchAccount();
  CountAccounts(database, -1);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ResealAccounts(SQLite::Database& database, const std::string& after,
                                           size_t limit, const RecordKeys& keys,
                                           const Store::Amend& amend, const std::string& path) {
  RETURN_IF_ERROR(CheckRecordKeys(database, keys, path));
  if (after.empty()) ResealDomains(database, keys, path);
  std::string last;
  std::vector<Account> outdated;
  {
    SQLite::Statement list(database, ListBareSql());
    list.bindNoCopy(1, after);
    size_t looked_at = 0;
    while (looked_at < limit && list.executeStep()) {
      const std::string_view name = BytesOf(list.getColumn(0));
      if (!after.empty() && name == after) continue;
      ++looked_at;
      last = name;
      absl::StatusOr<Account> account = ReadBareAccount(list, keys, path);
      if (!account.ok()) continue;
      const bool is_old = RecordKeys::KeyIdOf(BytesOf(list.getColumn(2))) != keys.current();
      if (amend(*account) || is_old) outdated.push_back(*std::move(account));
    }
    if (looked_at < limit) last.clear();
  }
  SQLite::Statement update(database, UpdateSql());
  SQLite::Statement renumber(database, RenumberSql());
  for (const Account& account : outdated) {
    BindAccount(update, account, account.epoch, keys);
    update.exec();
    update.reset();
    renumber.bindNoCopy(1, account.name.str());
    renumber.bind(2, RowNumberOf(account.name.str()));
    renumber.exec();
    renumber.reset();
  }
  return last;
}

std::map<uint32_t, uint64_t> CountRecordsByKey(SQLite::Database& database) {
  std::map<uint32_t, uint64_t> counts;
  SQLite::Statement records(database,
                            "SELECT record FROM account UNION ALL SELECT record FROM domain");
  while (records.executeStep()) ++counts[RecordKeys::KeyIdOf(BytesOf(records.getColumn(0)))];
  return counts;
}

absl::StatusOr<bool> CheckKnownKeys(SQLite::Database& database, const RecordKeys& keys,
                                    const std::string& path) {
  SQLite::Statement known(database, "SELECT id, proof FROM record_key");
  bool current_is_known = false;
  while (known.executeStep()) {
    const auto id = static_cast<uint32_t>(known.getColumn(0).getInt64());
    if (!keys.Open({}, id, BytesOf(known.getColumn(1))).ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, ": is sealed under a key ", id,
                       keys.Has(id) ? " that is another than" : " that is not in",
                       " the key file's; restore the key file that belongs to this database"));
    }
    current_is_known = current_is_known || id == keys.current();
  }
  return current_is_known;
}

absl::Status CheckRecordKeys(SQLite::Database& database, const RecordKeys& keys,
                             const std::string& path) {
  ASSIGN_OR_RETURN(const bool current_is_known, CheckKnownKeys(database, keys, path));
  if (current_is_known) return absl::OkStatus();
  SQLite::Statement insert(database, "INSERT INTO record_key (id, proof) VALUES (?1, ?2)");
  const std::string proof = keys.Seal({}, keys.current(), Secret());
  insert.bind(1, static_cast<int64_t>(keys.current()));
  insert.bind(2, proof.data(), static_cast<int>(proof.size()));
  insert.exec();
  return absl::OkStatus();
}

absl::Status ForgetRecordKey(SQLite::Database& database, uint32_t id) {
  if (CountRecordsByKey(database).contains(id)) {
    return absl::FailedPreconditionError(
        absl::StrCat("there are users or domains whose records are sealed under key ", id));
  }
  SQLite::Statement forget(database, "DELETE FROM record_key WHERE id = ?1");
  forget.bind(1, static_cast<int64_t>(id));
  forget.exec();
  return absl::OkStatus();
}

}  // namespace sasld
