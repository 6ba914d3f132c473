#include "storage/sqlite/unsealed_accounts.h"

#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "storage/sqlite/rows.h"

namespace sasld {
namespace {

// Columns of kSelect.
enum Column {
  kName,
  kEnabled,
  kEpoch,
  kCreated,
  kPasswordChanged,
  kArgon2id,
  kScramSalt,
  kScramIterations,
  kSha1Keys,
  kSha224Keys,
  kSha256Keys,
  kSha384Keys,
  kSha512Keys,
  kSha3_512Keys,
  kCramMd5,
  kDigestMd5Realm,
  kDigestMd5Ha1
};

constexpr char kSelect[] =
    "SELECT name, enabled, epoch, created, password_changed, argon2id, scram_salt, "
    "scram_iterations, sha_1_keys, sha_224_keys, sha_256_keys, sha_384_keys, sha_512_keys, "
    "sha3_512_keys, cram_md5, digest_md5_realm, digest_md5_ha1 FROM unsealed_account";

// The key file of that time had one key, which has this id now.
constexpr uint32_t kPepperId = 1;

constexpr std::array kKeyColumns = {
    std::pair{kSha1Keys, Hash::kSha1},     std::pair{kSha224Keys, Hash::kSha224},
    std::pair{kSha256Keys, Hash::kSha256}, std::pair{kSha384Keys, Hash::kSha384},
    std::pair{kSha512Keys, Hash::kSha512}, std::pair{kSha3_512Keys, Hash::kSha3_512}};

constexpr size_t kCramMd5Bytes = 32;
constexpr size_t kHa1Bytes = 16;

// Whether it makes sense: all that belongs together is there, or nothing of it.
bool ReadScram(SQLite::Statement& statement, std::optional<ScramVerifiers>& scram) {
  ScramVerifiers found;
  for (const auto& [column, hash] : kKeyColumns) {
    const SQLite::Column keys = statement.getColumn(column);
    if (keys.isNull()) continue;
    const std::string_view both = BytesOf(keys);
    const size_t key_bytes = HashBytes(hash);
    if (both.size() != 2 * key_bytes) return false;
    found.keys.emplace(
        hash, ScramKeyPair{Secret(both.substr(0, key_bytes)), Secret(both.substr(key_bytes))});
  }
  const SQLite::Column salt = statement.getColumn(kScramSalt);
  const SQLite::Column iterations = statement.getColumn(kScramIterations);
  if (found.keys.empty()) return salt.isNull() && iterations.isNull();
  found.salt = std::string(BytesOf(salt));
  const int64_t count = iterations.getInt64();
  if (found.salt.empty() || count <= 0 || count > std::numeric_limits<uint32_t>::max()) {
    return false;
  }
  found.iterations = static_cast<uint32_t>(count);
  scram = std::move(found);
  return true;
}

bool ReadEquivalents(SQLite::Statement& statement, Credential& credential) {
  const SQLite::Column cram_md5 = statement.getColumn(kCramMd5);
  if (!cram_md5.isNull()) {
    credential.cram_md5 = Secret(BytesOf(cram_md5));
    if (credential.cram_md5.size() != kCramMd5Bytes) return false;
  }
  const SQLite::Column realm = statement.getColumn(kDigestMd5Realm);
  const SQLite::Column ha1 = statement.getColumn(kDigestMd5Ha1);
  if (realm.isNull() != ha1.isNull()) return false;
  if (!ha1.isNull()) {
    credential.digest_md5 = DigestMd5Verifier{std::string(BytesOf(realm)), Secret(BytesOf(ha1))};
    if (credential.digest_md5->ha1.size() != kHa1Bytes) return false;
  }
  return true;
}

absl::StatusOr<Account> ReadUnsealed(SQLite::Statement& statement) {
  Account account{Username::FromPrepared(std::string(BytesOf(statement.getColumn(kName)))),
                  statement.getColumn(kEnabled).getInt() != 0,
                  static_cast<Epoch>(statement.getColumn(kEpoch).getInt64()),
                  absl::FromUnixSeconds(statement.getColumn(kCreated).getInt64()),
                  absl::FromUnixSeconds(statement.getColumn(kPasswordChanged).getInt64()),
                  {}};
  Credential& credential = account.credential;
  credential.argon2id = std::string(BytesOf(statement.getColumn(kArgon2id)));
  if (!credential.argon2id.empty()) credential.pepper_id = kPepperId;
  if (account.epoch == 0 || !ReadScram(statement, credential.scram) ||
      !ReadEquivalents(statement, credential)) {
    return absl::DataLossError("a damaged account");
  }
  return account;
}

}  // namespace

absl::Status SealAccounts(SQLite::Database& database, const RecordKeys& keys,
                          const std::string& path) {
  SQLite::Statement select(database, kSelect);
  // As the table is at that step.
  SQLite::Statement insert(database,
                           "INSERT INTO account (name, epoch, record) VALUES (?1, ?2, ?3)");
  while (select.executeStep()) {
    const absl::StatusOr<Account> account = ReadUnsealed(select);
    if (!account.ok()) return Damaged(path, account.status());
    BindAccount(insert, *account, account->epoch, keys);
    insert.exec();
    insert.reset();
  }
  return absl::OkStatus();
}

}  // namespace sasld
