#include "storage/sqlite/sqlite_store.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/common/status_macros.h"
#include "storage/sqlite/database_file.h"
#include "storage/sqlite/migrations.h"
#include "storage/sqlite/reader.h"
#include "storage/sqlite/rows.h"

namespace sasld {
namespace {

absl::Status NoSuchAccount() { return absl::NotFoundError("no such user"); }

// The log is folded back into the database file once it has so many pages (of 4 KiB).
constexpr int kCheckpointPages = 1000;

int NoteLogPages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

class SqliteStore final : public Store {
 public:
  SqliteStore(std::unique_ptr<DatabaseFile> file, SQLite::Database writer)
      : file_(std::move(file)), writer_(std::move(writer)) {}

  // Checks what is there, brings it up to date, and gets ready to read.
  absl::Status Prepare();

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
  void FoldLogBack() ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mutex_);
  void EndIdleReads();

  const std::unique_ptr<DatabaseFile> file_;
  absl::Mutex writer_mutex_;
  SQLite::Database writer_ ABSL_GUARDED_BY(writer_mutex_);
  // Pages in the write-ahead log after the last commit.
  int log_pages_ ABSL_GUARDED_BY(writer_mutex_) = 0;
  std::atomic<uint64_t> generation_ = 1;  // raised by each commit, before the write returns

  // As many readers come to be as threads read at once.
  mutable absl::Mutex idle_mutex_;
  mutable std::vector<std::unique_ptr<Reader>> idle_ ABSL_GUARDED_BY(idle_mutex_);
};

absl::Status SqliteStore::Prepare() {
  absl::MutexLock lock(&writer_mutex_);
  try {
    // Again through SQLite: after a crash the newest version may be in the write-ahead log only.
    const auto version =
        static_cast<uint32_t>(writer_.execAndGet("PRAGMA user_version").getInt64());
    const auto id = static_cast<uint32_t>(writer_.execAndGet("PRAGMA application_id").getInt64());
    const bool blank = version == 0 && id == 0 &&
                       writer_.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0;
    if (!blank) RETURN_IF_ERROR(CheckSchema(file_->path(), id, version));
    DatabaseFile::SetUpWriting(writer_);
    Migrate(writer_);
    sqlite3_wal_hook(writer_.getHandle(), &NoteLogPages, &log_pages_);
    // The first reader now, so that what ails it is told at the start.
    auto reader = std::make_unique<Reader>(file_->OpenReader());
    absl::MutexLock idle_lock(&idle_mutex_);
    idle_.push_back(std::move(reader));
    return absl::OkStatus();
  } catch (const SQLite::Exception& exception) {
    return file_->StatusOf(exception, &writer_);
  }
}

template <typename Read>
auto SqliteStore::WithReader(Read read) const -> decltype(read(std::declval<Reader&>())) {
  std::unique_ptr<Reader> reader;
  try {
    {
      absl::MutexLock lock(&idle_mutex_);
      if (!idle_.empty()) {
        reader = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (!reader) reader = std::make_unique<Reader>(file_->OpenReader());
    // The generation is read before the transaction begins: if a write gets in between, the reader
    // knows more than it thinks and renews once in vain.
    reader->Renew(generation_.load(std::memory_order_acquire));
    auto result = read(*reader);
    absl::MutexLock lock(&idle_mutex_);
    idle_.push_back(std::move(reader));
    return result;
  } catch (const SQLite::Exception& exception) {
    // The reader is not given back: its transaction may be in any state.
    return file_->StatusOf(exception, reader ? &reader->database() : nullptr);
  }
}

template <typename Write>
absl::Status SqliteStore::InTransaction(Write write) {
  absl::MutexLock lock(&writer_mutex_);
  try {
    SQLite::Transaction transaction(writer_, SQLite::TransactionBehavior::IMMEDIATE);
    RETURN_IF_ERROR(write(writer_));
    transaction.commit();
  } catch (const SQLite::Exception& exception) {
    return file_->StatusOf(exception, &writer_);
  }
  generation_.fetch_add(1, std::memory_order_release);
  if (log_pages_ >= kCheckpointPages) FoldLogBack();
  return absl::OkStatus();
}

// Copies the write-ahead log into the database file, so that the next write begins the log anew;
// else it would grow for ever. Two things stand against it, both of them kept read transactions:
// - pages newer than the oldest transaction are not copied; so idle readers let go of theirs first;
// - a log that anybody reads is not begun anew; those who began while we copied may read it, so
//   they let go after it, and readers that are busy just now renew at their next read, since the
//   generation has moved on. A transaction that begins after a full copy reads the database file
//   alone.
// Whoever is in the way all the same is no harm: the next write tries again. Errors are no harm
// either, as what was committed is in the log, and stays there.
void SqliteStore::FoldLogBack() {
  EndIdleReads();
  sqlite3_wal_checkpoint_v2(writer_.getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                            nullptr);
  generation_.fetch_add(1, std::memory_order_release);
  EndIdleReads();
}

void SqliteStore::EndIdleReads() {
  absl::MutexLock lock(&idle_mutex_);
  for (std::unique_ptr<Reader>& reader : idle_) {
    try {
      reader->End();
    } catch (const SQLite::Exception&) {
      reader.reset();  // whoever reads next opens another
    }
  }
  std::erase(idle_, nullptr);
}

Epoch SqliteStore::DrawEpoch() {
  SQLite::Statement draw(
      writer_, "UPDATE counter SET value = value + 1 WHERE name = 'epoch' RETURNING value");
  draw.executeStep();
  const auto epoch = static_cast<Epoch>(draw.getColumn(0).getInt64());
  // An UPDATE takes effect when it is stepped to its end.
  while (draw.executeStep()) {
  }
  return epoch;
}

absl::StatusOr<Account> SqliteStore::Find(const Username& name) const {
  return WithReader([this, &name](Reader& reader) -> absl::StatusOr<Account> {
    const ResetAtEnd reset(reader.find());
    reader.find().bindNoCopy(1, name.str());
    if (!reader.find().executeStep()) return NoSuchAccount();
    return ReadAccount(reader.find(), file_->path());
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
  return WithReader([this, &query](Reader& reader) -> absl::StatusOr<std::vector<Account>> {
    const std::string from = std::max(query.prefix, query.after);
    SQLite::Statement& list = reader.list();
    const ResetAtEnd reset(list);
    list.bindNoCopy(1, from);
    std::vector<Account> page;
    while (page.size() < query.limit && list.executeStep()) {
      ASSIGN_OR_RETURN(Account account, ReadAccount(list, file_->path()));
      if (!query.after.empty() && account.name.str() == query.after) continue;
      // Names are in order of their bytes, so those with the prefix stand together.
      if (!account.name.str().starts_with(query.prefix)) break;
      page.push_back(std::move(account));
    }
    return page;
  });
}

absl::StatusOr<uint64_t> SqliteStore::Count() const {
  return WithReader([](Reader& reader) -> absl::StatusOr<uint64_t> {
    const ResetAtEnd reset(reader.count());
    reader.count().executeStep();
    return static_cast<uint64_t>(reader.count().getColumn(0).getInt64());
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path,
                                                       StorePresence presence) {
  ASSIGN_OR_RETURN(std::unique_ptr<DatabaseFile> file, DatabaseFile::Take(path, presence));
  const DatabaseFile& taken = *file;
  try {
    SQLite::Database writer = taken.OpenWriter();
    auto store = std::make_unique<SqliteStore>(std::move(file), std::move(writer));
    RETURN_IF_ERROR(store->Prepare());
    return store;
  } catch (const SQLite::Exception& exception) {
    return taken.StatusOf(exception, nullptr);
  }
}

absl::StatusOr<bool> SqliteStoreExists(const std::string& path) { return DatabaseFileExists(path); }

}  // namespace sasld
