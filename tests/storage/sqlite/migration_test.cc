// Databases of versions before.
#include "storage/sqlite/migrations.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/storage/accounts.h"
#include "tests/storage/sqlite/database_folder.h"

namespace sasld {
namespace {

// What sasld made of schema 1, as it was released.
constexpr char kVersion1[] = R"sql(
PRAGMA journal_mode = WAL;
CREATE TABLE account (
  name             TEXT NOT NULL PRIMARY KEY,
  enabled          INTEGER NOT NULL,
  epoch            INTEGER NOT NULL,
  created          INTEGER NOT NULL,
  password_changed INTEGER NOT NULL,
  argon2id         TEXT NOT NULL,
  scram_salt       BLOB,
  scram_iterations INTEGER,
  sha_256_stored   BLOB,
  sha_256_server   BLOB,
  CONSTRAINT enabled_is_boolean CHECK (enabled IN (0, 1)),
  CONSTRAINT epoch_is_drawn CHECK (epoch > 0),
  CONSTRAINT scram_is_whole CHECK ((
    scram_salt IS NULL AND scram_iterations IS NULL AND sha_256_stored IS NULL AND
      sha_256_server IS NULL OR
    length(scram_salt) > 0 AND scram_iterations > 0 AND length(sha_256_stored) = 32 AND
      length(sha_256_server) = 32) IS TRUE)
) STRICT, WITHOUT ROWID;
CREATE TABLE counter (
  name  TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counter (name, value) VALUES ('epoch', 4711);
PRAGMA application_id = 1396790092;
PRAGMA user_version = 1;
)sql";

// What version 1 could hold: a whole account, whose keys have every byte; one that is disabled; one
// without SCRAM.
std::vector<Account> AccountsOfVersion1() {
  std::vector<Account> accounts;
  for (const char* name : {"ann@example.org", "\u00e4rger", "a b'%_"}) {
    Account& account = accounts.emplace_back(MakeBareAccount(name));
    account.enabled = accounts.size() != 2;
    account.epoch = 10 + accounts.size();
    account.created = absl::FromUnixSeconds(1'700'000'000);
    account.password_changed = absl::FromUnixSeconds(1'700'000'001);
    account.credential.argon2id = "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA";
    account.credential.pepper_id = 1;  // of the only key that there was then
    if (accounts.size() == 3) continue;
    ScramVerifiers& scram = account.credential.scram.emplace();
    scram.salt = std::string("\0\xff\0\xc3\x28", 5);
    scram.iterations = 4096 + static_cast<uint32_t>(accounts.size());
    std::string stored("\0\xff\xfe\x80\xc3\x28\xed\xa0\x80", 9);  // not UTF-8 in many ways
    std::string server("\xff\0\0\0", 4);
    stored.resize(32, '\0');
    server.resize(32, '\xff');
    scram.keys.emplace(Hash::kSha256, ScramKeyPair{Secret(stored), Secret(server)});
  }
  return accounts;
}

void MakeVersion1(const DatabaseFolder& folder) {
  SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  database.exec(kVersion1);
  for (const Account& account : AccountsOfVersion1()) {
    SQLite::Statement insert(database, "INSERT INTO account VALUES (?,?,?,?,?,?,?,?,?,?)");
    insert.bind(1, account.name.str());
    insert.bind(2, account.enabled ? 1 : 0);
    insert.bind(3, static_cast<int64_t>(account.epoch));
    insert.bind(4, absl::ToUnixSeconds(account.created));
    insert.bind(5, absl::ToUnixSeconds(account.password_changed));
    insert.bind(6, account.credential.argon2id);
    if (const auto& scram = account.credential.scram) {
      const ScramKeyPair& pair = scram->keys.at(Hash::kSha256);
      insert.bind(7, scram->salt.data(), static_cast<int>(scram->salt.size()));
      insert.bind(8, scram->iterations);
      insert.bind(9, pair.stored_key.Reveal().data(), 32);
      insert.bind(10, pair.server_key.Reveal().data(), 32);
    }
    insert.exec();
  }
}

void ExpectWhatVersion1Had(Store& store) {
  EXPECT_EQ(store.Count().value(), 3U);
  for (const Account& account : AccountsOfVersion1()) {
    SCOPED_TRACE(account.name.str());
    ExpectAccount(store.Find(account.name).value(), account, account.epoch);
  }
}

// All that a program of version 1 looks at.
std::string DumpOfVersion1(const DatabaseFolder& folder) {
  SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE);
  std::string dump = database.execAndGet("PRAGMA user_version").getString();
  dump += database.execAndGet("SELECT value FROM counter WHERE name = 'epoch'").getString();
  dump += database.execAndGet("SELECT group_concat(sql) FROM sqlite_schema").getString();
  dump += database
              .execAndGet(
                  "SELECT group_concat(quote(name) || enabled || epoch || created || "
                  "password_changed || argon2id || quote(scram_salt) || "
                  "quote(scram_iterations) || quote(sha_256_stored) || "
                  "quote(sha_256_server)) FROM account")
              .getString();
  return dump;
}

TEST(Migration, Version1KeepsAllItHad) {
  const DatabaseFolder folder;
  MakeVersion1(folder);
  {
    const auto store = folder.Open();
    ExpectWhatVersion1Had(*store);
    // The counter goes on where it stood.
    EXPECT_EQ(store->Create(MakeAccount("new")).value(), 4712U);
    ASSERT_TRUE(store->Remove(Name("new")).ok());
  }
  {
    SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE);
    EXPECT_EQ(database.execAndGet("PRAGMA user_version").getUInt(), CurrentSchemaVersion());
    EXPECT_EQ(database.execAndGet("PRAGMA integrity_check").getString(), "ok");
    EXPECT_EQ(
        database.execAndGet("SELECT count(*) FROM sqlite_schema WHERE type = 'table'").getInt(), 6);
  }
  ExpectWhatVersion1Had(*folder.Open());  // nothing is done twice
}

// What was kept in the clear is not left behind, neither in free pages nor in the log.
TEST(Migration, LeavesNoUnsealedVerifierBehind) {
  const DatabaseFolder folder;
  MakeVersion1(folder);
  const auto holds = [&folder](std::string_view bytes) {
    for (const auto& [name, contents] : folder.Contents()) {
      if (contents.find(bytes) != std::string::npos) return true;
    }
    return false;
  };
  const std::string stored_key("\0\xff\xfe\x80\xc3\x28\xed\xa0\x80", 9);
  ASSERT_TRUE(holds(stored_key));
  ASSERT_TRUE(holds("$argon2id$"));
  const auto store = folder.Open();
  EXPECT_FALSE(holds(stored_key));
  EXPECT_FALSE(holds("$argon2id$"));
}

TEST(Migration, AccountsOfVersion1TakeTheNewVerifiers) {
  const DatabaseFolder folder;
  MakeVersion1(folder);
  const auto store = folder.Open();
  Account changed = MakeAccount("ann@example.org");
  changed.epoch = store->Find(changed.name)->epoch;
  const Epoch epoch = store->Update(changed).value();
  ExpectAccount(store->Find(changed.name).value(), changed, epoch);
}

// Version 3 had no domains and did not count; all else is as it is now.
TEST(Migration, Version3GetsDomainsAndACount) {
  using std::string_literals::operator""s;
  const DatabaseFolder folder;
  const std::vector<std::string> names = {"ann@example.org", "ben@example.org", "cid",
                                          "a\0b@example.org"s, "dan@example.net"};
  {
    const auto store = folder.Open();
    for (const std::string& name : names) ASSERT_TRUE(store->Create(MakeAccount(name)).ok());
  }
  SQLite::Database(folder.file(), SQLite::OPEN_READWRITE)
      .exec(
          "DROP TABLE domain; DROP INDEX account_of_domain; ALTER TABLE account DROP COLUMN domain;"
          "DELETE FROM counter WHERE name = 'accounts'; PRAGMA user_version = 3");
  const auto store = folder.Open();
  EXPECT_EQ(store->Count().value(), names.size());
  for (const std::string& name : names) {
    const Account found = store->Find(Name(name)).value();
    ExpectAccount(found, MakeAccount(name), found.epoch);
  }
  EXPECT_EQ(store->List({"", "", 10, "example.org"})->size(), 3U);
  EXPECT_EQ(store->List({"", "", 10, "example.net"})->size(), 1U);
}

// Version 4 had no defaults of domains; all else is as it is now.
TEST(Migration, Version4GetsDefaultsOfDomains) {
  const DatabaseFolder folder;
  const Account ann = MakeAccount("ann@example.org");
  const Epoch epoch = folder.Open()->Create(ann).value();
  SQLite::Database(folder.file(), SQLite::OPEN_READWRITE)
      .exec("DROP TABLE domain; PRAGMA user_version = 4");
  const auto store = folder.Open();
  ExpectAccount(store->Find(ann.name).value(), ann, epoch);
  EXPECT_EQ(store->Find(ann.name)->domain, nullptr);
  EXPECT_EQ(store->ListDomains("", 10)->size(), 0U);
  EXPECT_EQ(store->PutDomain(MakeDomain("example.org")).value(), epoch + 1);
  EXPECT_EQ(store->Find(ann.name)->domain->epoch, epoch + 1);
}

[[noreturn]] int KillMyself(void*) {
  raise(SIGKILL);
  _exit(1);
}

int KillMyselfAtZero(void* left) { return --*static_cast<int*>(left) > 0 ? 0 : KillMyself(left); }

// Migrates in a process that is killed by the `instructions`th instruction of SQLite's machine, or,
// with 0, when all is written and about to be committed. False: it came through before.
bool KilledWhileMigrating(const DatabaseFolder& folder, int instructions) {
  const pid_t child = fork();
  if (child == 0) {
    SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE);
    if (instructions == 0) {
      sqlite3_commit_hook(database.getHandle(), &KillMyself, nullptr);
    } else {
      sqlite3_progress_handler(database.getHandle(), 1, &KillMyselfAtZero, &instructions);
    }
    _exit(Migrate(database, SampleRecordKeys(), folder.file()).ok() ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

TEST(Migration, KilledAtTheLastMomentLeavesVersion1Whole) {
  const DatabaseFolder folder;
  MakeVersion1(folder);
  const std::string before = DumpOfVersion1(folder);
  ASSERT_TRUE(KilledWhileMigrating(folder, 0));
  EXPECT_EQ(DumpOfVersion1(folder), before);
  ExpectWhatVersion1Had(*folder.Open());
}

TEST(Migration, KilledAnywhereLeavesOneVersionOrTheOther) {
  bool completed = false;
  int killed = 0;
  for (int instructions = 1; !completed; instructions += instructions / 8 + 1) {
    SCOPED_TRACE(instructions);
    const DatabaseFolder folder;
    MakeVersion1(folder);
    completed = !KilledWhileMigrating(folder, instructions);
    if (!completed) ++killed;
    ExpectWhatVersion1Had(*folder.Open());
  }
  EXPECT_GT(killed, 10);
}

}  // namespace
}  // namespace sasld
