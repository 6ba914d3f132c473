#include "storage/sqlite/domains.h"

#include <optional>
#include <utility>

#include "proto/common/status_macros.h"
#include "storage/domain_record.h"
#include "storage/sqlite/epoch_counter.h"
#include "storage/sqlite/rows.h"

namespace sasld {
namespace {

constexpr char kListSql[] =
    "SELECT name, epoch, record FROM domain WHERE name > ?1 ORDER BY name LIMIT ?2";
constexpr char kWriteSql[] =
    "INSERT INTO domain (name, epoch, record) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, record = excluded.record";

absl::Status NoSuchDomain() { return absl::NotFoundError("no such domain"); }

void BindName(SQLite::Statement& statement, std::string_view name) {
  statement.bind(1, std::string(name));
}

std::optional<Epoch> EpochOf(SQLite::Database& database, const std::string& name) {
  SQLite::Statement find(database, "SELECT epoch FROM domain WHERE name = ?1");
  BindName(find, name);
  if (!find.executeStep()) return std::nullopt;
  return static_cast<Epoch>(find.getColumn(0).getInt64());
}

// Whatever is there; it has the epoch `epoch` then.
void Write(SQLite::Statement& write, const Domain& domain, Epoch epoch, const RecordKeys& keys) {
  const ResetAtEnd reset(write);
  const std::string sealed =
      keys.Seal(domain.name, epoch, PrintDomainRecord(domain), RecordKind::kDomain);
  BindName(write, domain.name);
  write.bind(2, static_cast<int64_t>(epoch));
  write.bind(3, sealed.data(), static_cast<int>(sealed.size()));
  write.exec();
}

}  // namespace

absl::StatusOr<Domain> ReadDomain(SQLite::Statement& statement, int first, const RecordKeys& keys,
                                  const std::string& path) {
  const std::string_view name = BytesOf(statement.getColumn(first));
  const auto epoch = static_cast<Epoch>(statement.getColumn(first + 1).getInt64());
  const absl::StatusOr<Secret> record =
      keys.Open(name, epoch, BytesOf(statement.getColumn(first + 2)), RecordKind::kDomain);
  if (!record.ok()) return Damaged(path, record.status());
  absl::StatusOr<Domain> domain = ParseDomainRecord(std::string(name), epoch, record->Reveal());
  if (!domain.ok()) return Damaged(path, domain.status());
  return domain;
}

absl::StatusOr<Domain> FindDomain(SQLite::Database& database, std::string_view name,
                                  const RecordKeys& keys, const std::string& path) {
  SQLite::Statement find(database, "SELECT name, epoch, record FROM domain WHERE name = ?1");
  BindName(find, name);
  if (!find.executeStep()) return NoSuchDomain();
  return ReadDomain(find, 0, keys, path);
}

absl::StatusOr<std::vector<Domain>> ListDomains(SQLite::Database& database, std::string_view after,
                                                size_t limit, const RecordKeys& keys,
                                                const std::string& path) {
  SQLite::Statement list(database, kListSql);
  BindName(list, after);
  list.bind(2, static_cast<int64_t>(limit));
  std::vector<Domain> domains;
  while (list.executeStep()) {
    ASSIGN_OR_RETURN(Domain domain, ReadDomain(list, 0, keys, path));
    domains.push_back(std::move(domain));
  }
  return domains;
}

absl::StatusOr<Epoch> PutDomain(SQLite::Database& database, const Domain& domain,
                                const RecordKeys& keys) {
  RETURN_IF_ERROR(CheckDomain(domain));
  RETURN_IF_ERROR(CheckOverwrites(domain, EpochOf(database, domain.name)));
  const Epoch epoch = EpochCounter(database).Draw();
  SQLite::Statement write(database, kWriteSql);
  Write(write, domain, epoch, keys);
  return epoch;
}

absl::Status RemoveDomain(SQLite::Database& database, std::string_view name) {
  SQLite::Statement remove(database, "DELETE FROM domain WHERE name = ?1");
  BindName(remove, name);
  return remove.exec() == 1 ? absl::OkStatus() : NoSuchDomain();
}

void ResealDomains(SQLite::Database& database, const RecordKeys& keys, const std::string& path) {
  std::vector<Domain> outdated;
  {
    SQLite::Statement all(database, "SELECT name, epoch, record FROM domain");
    while (all.executeStep()) {
      if (RecordKeys::KeyIdOf(BytesOf(all.getColumn(2))) == keys.current()) continue;
      absl::StatusOr<Domain> domain = ReadDomain(all, 0, keys, path);
      if (domain.ok()) outdated.push_back(*std::move(domain));
    }
  }
  SQLite::Statement write(database, kWriteSql);
  for (const Domain& domain : outdated) Write(write, domain, domain.epoch, keys);
}

absl::Status OpenEachDomain(SQLite::Database& database, const RecordKeys& keys,
                            const std::string& path) {
  SQLite::Statement all(database, "SELECT name, epoch, record FROM domain");
  while (all.executeStep()) RETURN_IF_ERROR(ReadDomain(all, 0, keys, path).status());
  return absl::OkStatus();
}

}  // namespace sasld
