#include "storage/sqlite/last_uses.h"

#include "proto/common/status_macros.h"
#include "storage/sqlite/rows.h"

namespace sasld {
namespace {

constexpr char kNote[] =
    "INSERT INTO last_use (name, app_password, time, address, mechanism)"
    " SELECT name, ?2, ?3, ?4, ?5 FROM account WHERE name = ?1"
    " ON CONFLICT (name, app_password) DO UPDATE SET time = excluded.time,"
    " address = excluded.address, mechanism = excluded.mechanism"
    " WHERE excluded.time >= last_use.time";

}  // namespace

absl::Status WriteUses(SQLite::Database& database, const std::vector<Use>& uses,
                       const RecordKeys& keys, const std::string& path) {
  SQLite::Statement find(database, FindBareSql());
  SQLite::Statement note(database, kNote);
  for (const Use& use : uses) {
    // It was noted some seconds ago: the app password may have been revoked since.
    if (!use.app_password.empty()) {
      find.reset();
      find.bindNoCopy(1, use.name.str());
      if (!find.executeStep()) continue;
      ASSIGN_OR_RETURN(const Account account, ReadBareAccount(find, keys, path));
      if (!HasCredential(account, use.app_password)) continue;
    }
    note.reset();
    note.bindNoCopy(1, use.name.str());
    note.bindNoCopy(2, use.app_password);
    note.bind(3, absl::ToUnixSeconds(use.last.time));
    note.bindNoCopy(4, use.last.address);
    note.bindNoCopy(5, use.last.mechanism);
    note.exec();
  }
  return absl::OkStatus();
}

std::map<std::string, LastUse> ReadUses(SQLite::Database& database, const Username& name) {
  SQLite::Statement list(
      database, "SELECT app_password, time, address, mechanism FROM last_use WHERE name = ?1");
  list.bindNoCopy(1, name.str());
  std::map<std::string, LastUse> uses;
  while (list.executeStep()) {
    uses.emplace(list.getColumn(0).getString(),
                 LastUse{absl::FromUnixSeconds(list.getColumn(1).getInt64()),
                         list.getColumn(2).getString(), list.getColumn(3).getString()});
  }
  return uses;
}

void DropUsesOfRevoked(SQLite::Database& database, const Account& account) {
  SQLite::Statement drop(database, "DELETE FROM last_use WHERE name = ?1 AND app_password = ?2");
  for (const auto& [id, last] : ReadUses(database, account.name)) {
    if (HasCredential(account, id)) continue;
    drop.reset();
    drop.bindNoCopy(1, account.name.str());
    drop.bindNoCopy(2, id);
    drop.exec();
  }
}

}  // namespace sasld
