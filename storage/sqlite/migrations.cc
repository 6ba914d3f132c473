#include "storage/sqlite/migrations.h"

#include <array>

#include "absl/strings/str_cat.h"

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
};

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

void Migrate(SQLite::Database& database) {
  const auto version = static_cast<uint32_t>(database.execAndGet("PRAGMA user_version").getInt64());
  for (uint32_t step = version; step < CurrentSchemaVersion(); ++step) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec(kSteps[step]);
    database.exec(absl::StrCat("PRAGMA application_id = ", kApplicationId));
    database.exec(absl::StrCat("PRAGMA user_version = ", step + 1));
    transaction.commit();
  }
  // The version must be in the file itself, where an older program looks before it touches
  // anything.
  if (version < CurrentSchemaVersion()) database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace sasld
