#include "storage/sqlite/migrations.h"

#include <sqlite3.h>

#include <array>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "storage/sqlite/unsealed_accounts.h"
#include "storage/store.h"

namespace sasld {
namespace {

// Never change a step that was released; add one.
constexpr std::array kSteps = {
    // 1: accounts.
    R"sql(
CREATE TABLE account (
  name             TEXT NOT NULL PRIMARY KEY,  -- prepared; compared byte by byte
  enabled          INTEGER NOT NULL,           -- 0 or 1
  epoch            INTEGER NOT NULL,           -- from counter 'epoch' at the last change
  created          INTEGER NOT NULL,           -- Unix time, seconds
  password_changed INTEGER NOT NULL,           -- Unix time, seconds
  argon2id         TEXT NOT NULL,              -- PHC text, made with the key file's pepper; '' for none
  scram_salt       BLOB,                       -- one for all SCRAM hashes; NULL: no SCRAM verifiers
  scram_iterations INTEGER,                    -- likewise
  sha_256_stored   BLOB,                       -- StoredKey of SCRAM-SHA-256, 32 bytes
  sha_256_server   BLOB,                       -- ServerKey of SCRAM-SHA-256, 32 bytes
  CONSTRAINT enabled_is_boolean CHECK (enabled IN (0, 1)),
  CONSTRAINT epoch_is_drawn CHECK (epoch > 0),
  CONSTRAINT scram_is_whole CHECK ((  -- IS TRUE, since a CHECK lets NULL pass
    scram_salt IS NULL AND scram_iterations IS NULL AND sha_256_stored IS NULL AND
      sha_256_server IS NULL OR
    length(scram_salt) > 0 AND scram_iterations > 0 AND length(sha_256_stored) = 32 AND
      length(sha_256_server) = 32) IS TRUE)
) STRICT, WITHOUT ROWID;
CREATE TABLE counter (
  name  TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL                       -- the last one that was given out
) STRICT, WITHOUT ROWID;
INSERT INTO counter (name, value) VALUES ('epoch', 0);
)sql",
    // 2: verifiers of all mechanisms.
    R"sql(
CREATE TABLE account_2 (
  name             TEXT NOT NULL PRIMARY KEY,  -- prepared; compared byte by byte
  enabled          INTEGER NOT NULL,           -- 0 or 1
  epoch            INTEGER NOT NULL,           -- from counter 'epoch' at the last change
  created          INTEGER NOT NULL,           -- Unix time, seconds
  password_changed INTEGER NOT NULL,           -- Unix time, seconds
  argon2id         TEXT NOT NULL,              -- PHC text, made with the key file's pepper; '' for none
  scram_salt       BLOB,                       -- one for all SCRAM hashes; NULL: no SCRAM verifiers
  scram_iterations INTEGER,                    -- likewise
  sha_1_keys       BLOB,                       -- StoredKey and ServerKey of SCRAM-SHA-1, 20 bytes each
  sha_224_keys     BLOB,                       -- the same of SCRAM-SHA-224, 28 bytes each; NULL: none
  sha_256_keys     BLOB,
  sha_384_keys     BLOB,
  sha_512_keys     BLOB,
  sha3_512_keys    BLOB,
  cram_md5         BLOB,                       -- inner and outer state of HMAC-MD5, 16 bytes each
  digest_md5_realm TEXT,                       -- the realm that the next column was made for
  digest_md5_ha1   BLOB,                       -- MD5(name:realm:password)
  CONSTRAINT enabled_is_boolean CHECK (enabled IN (0, 1)),
  CONSTRAINT epoch_is_drawn CHECK (epoch > 0),
  CONSTRAINT scram_is_whole CHECK ((  -- IS TRUE, since a CHECK lets NULL pass
    coalesce(sha_1_keys, sha_224_keys, sha_256_keys, sha_384_keys, sha_512_keys, sha3_512_keys) IS NULL
      AND scram_salt IS NULL AND scram_iterations IS NULL OR
    coalesce(sha_1_keys, sha_224_keys, sha_256_keys, sha_384_keys, sha_512_keys, sha3_512_keys) IS NOT NULL
      AND length(scram_salt) > 0 AND scram_iterations > 0) IS TRUE),
  CONSTRAINT keys_have_their_size CHECK (
    length(sha_1_keys) = 40 AND length(sha_224_keys) = 56 AND length(sha_256_keys) = 64 AND
    length(sha_384_keys) = 96 AND length(sha_512_keys) = 128 AND length(sha3_512_keys) = 128),
  CONSTRAINT equivalents_are_whole CHECK (
    coalesce(length(cram_md5), 32) = 32 AND coalesce(length(digest_md5_ha1), 16) = 16 AND
    (digest_md5_realm IS NULL) = (digest_md5_ha1 IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO account_2 (name, enabled, epoch, created, password_changed, argon2id, scram_salt,
                       scram_iterations, sha_256_keys)
  SELECT name, enabled, epoch, created, password_changed, argon2id, scram_salt, scram_iterations,
         CAST(sha_256_stored || sha_256_server AS BLOB)
    FROM account;
DROP TABLE account;
ALTER TABLE account_2 RENAME TO account;
)sql",
    // 3: all of an account in one sealed record. Where records are this large, rows with a number
    // and an index of names keep more of the tree in memory than rows in order of name.
    R"sql(
ALTER TABLE account RENAME TO unsealed_account;
CREATE TABLE account (
  number INTEGER PRIMARY KEY,
  name   TEXT NOT NULL UNIQUE,                 -- prepared; compared byte by byte
  epoch  INTEGER NOT NULL,                     -- from counter 'epoch' at the last change
  record BLOB NOT NULL,                        -- all else, sealed: storage/record_keys.h
  CONSTRAINT epoch_is_drawn CHECK (epoch > 0)
) STRICT;
CREATE TABLE alias (
  alias TEXT NOT NULL PRIMARY KEY,             -- prepared; another name to log in by
  name  TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_of ON alias (name);
CREATE TABLE record_key (
  id    INTEGER NOT NULL PRIMARY KEY,          -- of a key that records were sealed under
  proof BLOB NOT NULL                          -- nothing, sealed under it: tells whether we have it
) STRICT;
CREATE TABLE last_use (
  name         TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
  app_password TEXT NOT NULL,                  -- its id; '' for the account's own password
  time         INTEGER NOT NULL,               -- Unix time, seconds
  address      TEXT NOT NULL,                  -- of the client; '' for none
  mechanism    TEXT NOT NULL,                  -- as registered
  PRIMARY KEY (name, app_password)
) STRICT, WITHOUT ROWID;
)sql",
    // 4: lists of a domain, and the number of accounts without counting them.
    R"sql(
ALTER TABLE account ADD COLUMN domain TEXT;    -- what follows the name's last @; NULL: nothing does
UPDATE account SET domain = domain_of(name) WHERE domain_of(name) IS NOT NULL;
CREATE INDEX account_of_domain ON account (domain, name) WHERE domain IS NOT NULL;
INSERT INTO counter (name, value) SELECT 'accounts', count(*) FROM account;
)sql",
    // 5: what holds for the accounts of a domain.
    R"sql(
CREATE TABLE domain (
  name   TEXT NOT NULL PRIMARY KEY,            -- as in account.domain
  epoch  INTEGER NOT NULL,                     -- from counter 'epoch' at the last change
  record BLOB NOT NULL,                        -- all else, sealed: storage/record_keys.h
  CONSTRAINT epoch_is_drawn CHECK (epoch > 0)
) STRICT, WITHOUT ROWID;
)sql",
};

// The step that leaves table unsealed_account to be sealed.
constexpr uint32_t kSealingStep = 3;

// DomainOf for a step's SQL, whose own functions end at a NUL. The schema does not know it: any
// program may read our databases.
void DomainOfSql(sqlite3_context* context, int, sqlite3_value** values) {
  const auto* bytes = static_cast<const char*>(sqlite3_value_blob(values[0]));
  if (bytes == nullptr) return;
  const auto size = static_cast<size_t>(sqlite3_value_bytes(values[0]));
  const Username name = Username::FromPrepared(std::string(bytes, size));
  const std::string_view domain = DomainOf(name);
  if (domain.empty()) return;
  sqlite3_result_text(context, domain.data(), static_cast<int>(domain.size()), SQLITE_TRANSIENT);
}

}  // namespace

uint32_t CurrentSchemaVersion() { return static_cast<uint32_t>(kSteps.size()); }

absl::Status CheckSchema(const std::string& path, uint32_t application_id, uint32_t version) {
  if (application_id != kApplicationId) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": is a database of another program; it was left as it is"));
  }
  if (version > CurrentSchemaVersion()) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": was made by a newer sasld (schema ", version, ", this one knows ",
                     CurrentSchemaVersion(), "); it was left as it is; run the newer sasld"));
  }
  return absl::OkStatus();
}

absl::Status Migrate(SQLite::Database& database, const RecordKeys& keys, const std::string& path) {
  const auto version = static_cast<uint32_t>(database.execAndGet("PRAGMA user_version").getInt64());
  sqlite3_create_function_v2(database.getHandle(), "domain_of", 1,
                             SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                             &DomainOfSql, nullptr, nullptr, nullptr);
  for (uint32_t step = version; step < CurrentSchemaVersion(); ++step) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec(kSteps[step]);
    if (step + 1 == kSealingStep) {
      RETURN_IF_ERROR(SealAccounts(database, keys, path));
      database.exec("DROP TABLE unsealed_account");
    }
    database.exec(absl::StrCat("PRAGMA application_id = ", kApplicationId));
    database.exec(absl::StrCat("PRAGMA user_version = ", step + 1));
    transaction.commit();
  }
  // The version must be in the file itself, where an older program looks before it touches
  // anything.
  if (version < CurrentSchemaVersion()) database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  return absl::OkStatus();
}

}  // namespace sasld
