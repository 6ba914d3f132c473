#include "storage/sqlite/sqlite_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/common/status_macros.h"
#include "storage/sqlite/database_file.h"
#include "storage/sqlite/migrations.h"
#include "storage/sqlite/rows.h"

namespace sasld {
namespace {

absl::Status NoSuchAccount() { return absl::NotFoundError("no such user"); }

// A connection for reading, with its statements prepared, used by one thread at a time.
struct Reader {
  explicit Reader(std::unique_ptr<SQLite::Database> opened)
      : database(std::move(opened)), find(*database, kFindSql), list(*database, kListSql) {}

  // Sees all that was committed before this call.
  void Renew(uint64_t current_generation) {
    if (in_transaction && generation == current_generation) return;
    End();
    database->exec("BEGIN");
    in_transaction = true;
    generation = current_generation;
  }
  void End() {
    if (std::exchange(in_transaction, false)) database->exec("COMMIT");
  }

  std::unique_ptr<SQLite::Database> database;
  SQLite::Statement find;
  SQLite::Statement list;
  bool in_transaction = false;
  uint64_t generation = 0;
};

class SqliteStore final : public Store {
 public:
  // Throws what SQLiteCpp throws.
  explicit SqliteStore(std::unique_ptr<DatabaseFile> file)
      : file_(std::move(file)), writer_(file_->OpenWriter()) {}

  absl::Status Prepare(const std::string& path);

  absl::StatusOr<Account> Find(const Username& name) const override;
  absl::StatusOr<Epoch> Create(const Account& account) override;
  absl::StatusOr<Epoch> Update(const Account& account) override;
  absl::Status Remove(const Username& name) override;
  absl::StatusOr<std::vector<Account>> List(const AccountQuery& query) const override;
  absl::StatusOr<uint64_t> Count() const override;

 private:
  // Runs `read(Reader&)` on a reader that sees every write that has returned.
  template <typename Read>
  auto WithReader(Read read) const -> decltype(read(std::declval<Reader&>()));
  // Runs `write(SQLite::Database&)` in a transaction, committed if it yields an OK status.
  template <typename Write>
  absl::Status InTransaction(Write write);
  Epoch DrawEpoch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mutex_);
  void EndIdleReads() const;

  const std::unique_ptr<DatabaseFile> file_;
  absl::Mutex writer_mutex_;
  const std::unique_ptr<SQLite::Database> writer_ ABSL_PT_GUARDED_BY(writer_mutex_);
  std::atomic<uint64_t> generation_ = 1;  // raised by each commit, before the write returns

  mutable absl::Mutex idle_mutex_;
  mutable std::vector<std::unique_ptr<Reader>> idle_ ABSL_GUARDED_BY(idle_mutex_);
};

absl::Status SqliteStore::Prepare(const std::string& path) {
  absl::MutexLock lock(&writer_mutex_);
  // Again through SQLite: after a crash the newest version may be in the write-ahead log only.
  const auto version = static_cast<uint32_t>(writer_->execAndGet("PRAGMA user_version").getInt64());
  const auto id = static_cast<uint32_t>(writer_->execAndGet("PRAGMA application_id").getInt64());
  if (version != 0 || id != 0) RETURN_IF_ERROR(CheckSchema(path, id, version));
  Migrate(*writer_);
  return absl::OkStatus();
}

template <typename Read>
auto SqliteStore::WithReader(Read read) const -> decltype(read(std::declval<Reader&>())) {
  try {
    std::unique_ptr<Reader> reader;
    {
      absl::MutexLock lock(&idle_mutex_);
      if (!idle_.empty()) {
        reader = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (!reader) reader = std::make_unique<Reader>(file_->OpenReader());
    reader->Renew(generation_.load(std::memory_order_acquire));
    auto result = read(*reader);
    // A reader whose read threw is not given back: its transaction may be in any state.
    absl::MutexLock lock(&idle_mutex_);
    idle_.push_back(std::move(reader));
    return result;
  } catch (const SQLite::Exception& exception) {
    return file_->StatusOf(exception);
  }
}

// An open read transaction keeps SQLite from folding the write-ahead log back, so idle readers let go of
// theirs after each commit; busy ones do at their next use.
void SqliteStore::EndIdleReads() const {
  absl::MutexLock lock(&idle_mutex_);
  for (const std::unique_ptr<Reader>& reader : idle_) reader->End();
}

template <typename Write>
absl::Status SqliteStore::InTransaction(Write write) {
  absl::MutexLock lock(&writer_mutex_);
  try {
    SQLite::Transaction transaction(*writer_, SQLite::TransactionBehavior::IMMEDIATE);
    RETURN_IF_ERROR(write(*writer_));
    transaction.commit();
    generation_.fetch_add(1, std::memory_order_release);
    EndIdleReads();
    return absl::OkStatus();
  } catch (const SQLite::Exception& exception) {
    return file_->StatusOf(exception);
  }
}

Epoch SqliteStore::DrawEpoch() {
  SQLite::Statement draw(*writer_,
                         "UPDATE counter SET value = value + 1 WHERE name = 'epoch' RETURNING value");
  draw.executeStep();
  const auto epoch = static_cast<Epoch>(draw.getColumn(0).getInt64());
  // An UPDATE takes effect when it is stepped to its end.
  while (draw.executeStep()) {
  }
  return epoch;
}

absl::StatusOr<Account> SqliteStore::Find(const Username& name) const {
  return WithReader([&name](Reader& reader) -> absl::StatusOr<Account> {
    reader.find.reset();
    reader.find.bindNoCopy(1, name.str());
    if (!reader.find.executeStep()) return NoSuchAccount();
    absl::StatusOr<Account> account = ReadAccount(reader.find);
    reader.find.reset();
    return account;
  });
}

absl::StatusOr<Epoch> SqliteStore::Create(const Account& account) {
  Epoch epoch = 0;
  RETURN_IF_ERROR(InTransaction([&](SQLite::Database& database) -> absl::Status {
    writer_mutex_.AssertHeld();
    SQLite::Statement taken(database, "SELECT 1 FROM account WHERE name = ?1");
    taken.bindNoCopy(1, account.name.str());
    if (taken.executeStep()) return absl::AlreadyExistsError("there is a user of that name");
    epoch = DrawEpoch();
    SQLite::Statement insert(database, kInsertSql);
    BindAccount(insert, account, epoch);
    insert.exec();
    return absl::OkStatus();
  }));
  return epoch;
}

absl::StatusOr<Epoch> SqliteStore::Update(const Account& account) {
  Epoch epoch = 0;
  RETURN_IF_ERROR(InTransaction([&](SQLite::Database& database) -> absl::Status {
    writer_mutex_.AssertHeld();
    SQLite::Statement current(database, "SELECT epoch FROM account WHERE name = ?1");
    current.bindNoCopy(1, account.name.str());
    if (!current.executeStep()) return NoSuchAccount();
    if (static_cast<Epoch>(current.getColumn(0).getInt64()) != account.epoch) {
      return absl::AbortedError("the user was changed meanwhile");
    }
    current.reset();
    epoch = DrawEpoch();
    SQLite::Statement update(database, kUpdateSql);
    BindAccount(update, account, epoch);
    update.exec();
    return absl::OkStatus();
  }));
  return epoch;
}

absl::Status SqliteStore::Remove(const Username& name) {
  return InTransaction([&name](SQLite::Database& database) -> absl::Status {
    SQLite::Statement remove(database, "DELETE FROM account WHERE name = ?1");
    remove.bindNoCopy(1, name.str());
    return remove.exec() == 1 ? absl::OkStatus() : NoSuchAccount();
  });
}

absl::StatusOr<std::vector<Account>> SqliteStore::List(const AccountQuery& query) const {
  return WithReader([&query](Reader& reader) -> absl::StatusOr<std::vector<Account>> {
    const std::string from = std::max(query.prefix, query.after);
    reader.list.reset();
    reader.list.bindNoCopy(1, from);
    std::vector<Account> page;
    absl::Status status;
    while (page.size() < query.limit && reader.list.executeStep()) {
      absl::StatusOr<Account> account = ReadAccount(reader.list);
      status = account.status();
      if (!status.ok()) break;
      if (!query.after.empty() && account->name.str() == query.after) continue;
      // Names are in order of their bytes, so those with the prefix stand together.
      if (!account->name.str().starts_with(query.prefix)) break;
      page.push_back(*std::move(account));
    }
    reader.list.reset();
    if (!status.ok()) return status;
    return page;
  });
}

absl::StatusOr<uint64_t> SqliteStore::Count() const {
  return WithReader([](Reader& reader) -> absl::StatusOr<uint64_t> {
    return static_cast<uint64_t>(
        reader.database->execAndGet("SELECT count(*) FROM account").getInt64());
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path,
                                                       StorePresence presence) {
  ASSIGN_OR_RETURN(std::unique_ptr<DatabaseFile> file, DatabaseFile::Take(path, presence));
  const DatabaseFile& taken = *file;
  std::unique_ptr<SqliteStore> store;
  try {
    store = std::make_unique<SqliteStore>(std::move(file));
    RETURN_IF_ERROR(store->Prepare(path));
  } catch (const SQLite::Exception& exception) {
    // Without a store the file went with its constructor; the words need only the path.
    if (store) return taken.StatusOf(exception);
    return absl::UnavailableError(path + ": " + exception.getErrorStr());
  }
  return store;
}

absl::StatusOr<bool> SqliteStoreExists(const std::string& path) {
  struct stat facts {};
  return stat(path.c_str(), &facts) == 0 && facts.st_size > 0;
}

}  // namespace sasld
