#include "storage/sqlite/sqlite_store.h"

#include <sqlite3.h>

#include <atomic>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "proto/common/status_macros.h"
#include "storage/sqlite/backup.h"
#include "storage/sqlite/check_database.h"
#include "storage/sqlite/database_file.h"
#include "storage/sqlite/domains.h"
#include "storage/sqlite/last_uses.h"
#include "storage/sqlite/migrations.h"
#include "storage/sqlite/reader.h"
#include "storage/sqlite/reads.h"
#include "storage/sqlite/rows.h"
#include "storage/sqlite/writes.h"

namespace sasld {
namespace {

// The log is folded back into the database file once it has so many pages (of 4 KiB).
constexpr int kFoldPages = 1000;
// Of an import, whose batches have thousands of pages and write many of them again, so many times
// as many: that halves what goes to the disk.
constexpr int kBulkFactor = 16;

int NoteLogPages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

class SqliteStore final : public Store {
 public:
  SqliteStore(std::unique_ptr<DatabaseFile> file, SQLite::Database writer, const RecordKeys& keys,
              int fold_pages)
      : file_(std::move(file)), keys_(keys), fold_pages_(fold_pages), writer_(std::move(writer)) {}

  // Checks what is there, brings it up to date, and gets ready to read.
  absl::Status Prepare();

  absl::StatusOr<Account> Find(const Username& name) const override;
  absl::StatusOr<Epoch> Create(const Account& account) override;
  absl::StatusOr<std::vector<absl::StatusOr<Written>>> CreateMany(std::span<const Account> accounts,
                                                                  IfThere if_there) override;
  absl::StatusOr<Epoch> Update(const Account& account) override;
  absl::Status Remove(const Username& name) override;
  absl::StatusOr<std::vector<Account>> List(const AccountQuery& query) const override;
  absl::StatusOr<uint64_t> Count() const override;
  absl::Status NoteUses(const std::vector<Use>& uses) override;
  absl::StatusOr<std::map<std::string, LastUse>> UsesOf(const Username& name) const override;
  absl::StatusOr<Domain> FindDomain(std::string_view name) const override;
  absl::StatusOr<Epoch> PutDomain(const Domain& domain) override;
  absl::Status RemoveDomain(std::string_view name) override;
  absl::StatusOr<std::vector<Domain>> ListDomains(std::string_view after,
                                                  size_t limit) const override;
  absl::StatusOr<std::map<uint32_t, uint64_t>> CountByKey() const override;
  absl::StatusOr<std::string> Reseal(const std::string& after, size_t limit,
                                     const Amend& amend) override;
  absl::StatusOr<uint64_t> BackUp(const std::string& path, const BackupWatch& watch) override;
  absl::Status ForgetKey(uint32_t id) override;

 private:
  absl::Status CopyTo(BackupDraft& draft, const BackupWatch& watch);
  // Runs `read(Reader&)` on a reader that sees every write that has returned.
  template <typename Read>
  auto WithReader(Read read) const -> decltype(read(std::declval<Reader&>()));
  // Runs `write(SQLite::Database&)` in a transaction, committed if what it yields is OK; then folds
  // the log back if it has `fold_pages`.
  template <typename Write>
  auto InTransaction(Write write, int fold_pages)
      -> decltype(write(std::declval<SQLite::Database&>()));
  template <typename Write>
  auto InTransaction(Write write) -> decltype(write(std::declval<SQLite::Database&>())) {
    return InTransaction(std::move(write), fold_pages_);
  }
  void FoldLogBack() ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mutex_);
  void EndIdleReads();

  const std::unique_ptr<DatabaseFile> file_;
  const RecordKeys& keys_;
  const int fold_pages_;
  std::atomic_flag backing_up_;
  absl::Mutex writer_mutex_;
  SQLite::Database writer_ ABSL_GUARDED_BY(writer_mutex_);
  // Pages in the write-ahead log after the last commit.
  int log_pages_ ABSL_GUARDED_BY(writer_mutex_) = 0;
  // Whether there may be a domain. Until then a login is spared the join, which is a tenth of a
  // read's time. Goes back to false at the next start only.
  std::atomic<bool> any_domain_ = true;
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
    RETURN_IF_ERROR(Migrate(writer_, keys_, file_->path()));
    RETURN_IF_ERROR(CheckRecordKeys(writer_, keys_, file_->path()));
    any_domain_ = writer_.execAndGet("SELECT EXISTS (SELECT 1 FROM domain)").getInt() != 0;
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

absl::Status StatusOf(const absl::Status& status) { return status; }
template <typename Value>
absl::Status StatusOf(const absl::StatusOr<Value>& result) {
  return result.status();
}

template <typename Write>
auto SqliteStore::InTransaction(Write write, int fold_pages)
    -> decltype(write(std::declval<SQLite::Database&>())) {
  absl::MutexLock lock(&writer_mutex_);
  try {
    SQLite::Transaction transaction(writer_, SQLite::TransactionBehavior::IMMEDIATE);
    auto result = write(writer_);
    if (!StatusOf(result).ok()) return result;
    transaction.commit();
    generation_.fetch_add(1, std::memory_order_release);
    if (log_pages_ >= fold_pages) FoldLogBack();
    return result;
  } catch (const SQLite::Exception& exception) {
    return file_->StatusOf(exception, &writer_);
  }
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

absl::StatusOr<Account> SqliteStore::Find(const Username& name) const {
  return WithReader([this, &name](Reader& reader) {
    return FindAccount(reader, name, any_domain_.load(std::memory_order_acquire), keys_,
                       file_->path());
  });
}

absl::StatusOr<Epoch> SqliteStore::Create(const Account& account) {
  return InTransaction([this, &account](SQLite::Database& database) {
    return InsertAccount(database, account, keys_);
  });
}

absl::StatusOr<std::vector<absl::StatusOr<Written>>> SqliteStore::CreateMany(
    std::span<const Account> accounts, IfThere if_there) {
  return InTransaction(
      [&](SQLite::Database& database) -> absl::StatusOr<std::vector<absl::StatusOr<Written>>> {
        return WriteAccounts(database, accounts, if_there, keys_);
      },
      accounts.size() > 1 ? fold_pages_ * kBulkFactor : fold_pages_);
}

absl::StatusOr<Epoch> SqliteStore::Update(const Account& account) {
  return InTransaction([this, &account](SQLite::Database& database) {
    return UpdateAccount(database, account, keys_);
  });
}

absl::Status SqliteStore::Remove(const Username& name) {
  return InTransaction(
      [&name](SQLite::Database& database) { return RemoveAccount(database, name); });
}

absl::Status SqliteStore::NoteUses(const std::vector<Use>& uses) {
  return InTransaction(
      [&](SQLite::Database& database) { return WriteUses(database, uses, keys_, file_->path()); });
}

absl::StatusOr<std::map<std::string, LastUse>> SqliteStore::UsesOf(const Username& name) const {
  return WithReader([&name](Reader& reader) -> absl::StatusOr<std::map<std::string, LastUse>> {
    return ReadUses(reader.database(), name);
  });
}

absl::StatusOr<Domain> SqliteStore::FindDomain(std::string_view name) const {
  return WithReader([this, name](Reader& reader) {
    return sasld::FindDomain(reader.database(), name, keys_, file_->path());
  });
}

absl::StatusOr<Epoch> SqliteStore::PutDomain(const Domain& domain) {
  absl::StatusOr<Epoch> epoch = InTransaction([this, &domain](SQLite::Database& database) {
    return sasld::PutDomain(database, domain, keys_);
  });
  if (epoch.ok()) any_domain_.store(true, std::memory_order_release);
  return epoch;
}

absl::Status SqliteStore::RemoveDomain(std::string_view name) {
  return InTransaction(
      [name](SQLite::Database& database) { return sasld::RemoveDomain(database, name); });
}

absl::StatusOr<std::vector<Domain>> SqliteStore::ListDomains(std::string_view after,
                                                             size_t limit) const {
  return WithReader([this, after, limit](Reader& reader) {
    return sasld::ListDomains(reader.database(), after, limit, keys_, file_->path());
  });
}

absl::StatusOr<std::string> SqliteStore::Reseal(const std::string& after, size_t limit,
                                                const Amend& amend) {
  return InTransaction([&](SQLite::Database& database) {
    return ResealAccounts(database, after, limit, keys_, amend, file_->path());
  });
}

// Through the writer's connection, so that SQLite puts into the copy what is written meanwhile; of
// another's writes it could only begin again.
absl::Status SqliteStore::CopyTo(BackupDraft& draft, const BackupWatch& watch) {
  for (bool done = false; !done;) {
    BackupProgress progress;
    {
      absl::MutexLock lock(&writer_mutex_);
      ASSIGN_OR_RETURN(done, draft.CopySome(writer_, progress));
    }
    if (watch(progress)) continue;
    absl::MutexLock lock(&writer_mutex_);
    draft.Abandon();
    return absl::CancelledError("the backup was stopped");
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> SqliteStore::BackUp(const std::string& path, const BackupWatch& watch) {
  if (backing_up_.test_and_set()) {
    return absl::ResourceExhaustedError("another backup is under way; wait until it is done");
  }
  const absl::Cleanup done = [this] { backing_up_.clear(); };
  try {
    ASSIGN_OR_RETURN(const std::unique_ptr<BackupDraft> draft, BackupDraft::Make(path));
    RETURN_IF_ERROR(CopyTo(*draft, watch));
    RETURN_IF_ERROR(draft->Complete());
    ASSIGN_OR_RETURN(const uint64_t accounts, CheckDatabase(draft->draft(), keys_, watch));
    RETURN_IF_ERROR(draft->Publish());
    return accounts;
  } catch (const SQLite::Exception& exception) {
    return absl::UnavailableError(
        absl::StrCat(path, ": cannot be written: ", exception.getErrorStr()));
  }
}

absl::Status SqliteStore::ForgetKey(uint32_t id) {
  return InTransaction([id](SQLite::Database& database) { return ForgetRecordKey(database, id); });
}

absl::StatusOr<std::map<uint32_t, uint64_t>> SqliteStore::CountByKey() const {
  return WithReader([](Reader& reader) -> absl::StatusOr<std::map<uint32_t, uint64_t>> {
    return CountRecordsByKey(reader.database());
  });
}

absl::StatusOr<std::vector<Account>> SqliteStore::List(const AccountQuery& query) const {
  return WithReader(
      [this, &query](Reader& reader) { return ListAccounts(reader, query, keys_, file_->path()); });
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
                                                       StorePresence presence,
                                                       const RecordKeys& keys, int fold_pages) {
  // SQLite counts its memory under a lock, at each of its allocations, of which a read takes six;
  // nobody asks for the count. Refused, without harm, once SQLite is in use.
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  ASSIGN_OR_RETURN(std::unique_ptr<DatabaseFile> file, DatabaseFile::Take(path, presence));
  const DatabaseFile& taken = *file;
  try {
    SQLite::Database writer = taken.OpenWriter();
    auto store =
        std::make_unique<SqliteStore>(std::move(file), std::move(writer), keys, fold_pages);
    RETURN_IF_ERROR(store->Prepare());
    return store;
  } catch (const SQLite::Exception& exception) {
    return taken.StatusOf(exception, nullptr);
  }
}

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path,
                                                       StorePresence presence,
                                                       const RecordKeys& keys) {
  return OpenSqliteStore(path, presence, keys, kFoldPages);
}

absl::StatusOr<bool> SqliteStoreExists(const std::string& path) { return DatabaseFileExists(path); }

}  // namespace sasld
