#include "storage/sqlite/rows.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sasld {
namespace {

enum Column {
  kName,
  kEnabled,
  kEpoch,
  kCreated,
  kPasswordChanged,
  kArgon2id,
  kScramSalt,
  kScramIterations,
  kSha256Stored,
  kSha256Server
};

// The bytes of a column, for as long as the statement stands on its row.
std::string_view BytesOf(const SQLite::Column& column) {
  const auto* bytes = static_cast<const char*>(column.getBlob());
  return bytes == nullptr ? std::string_view()
                          : std::string_view(bytes, static_cast<size_t>(column.getBytes()));
}

void BindBytes(SQLite::Statement& statement, int index, std::string_view bytes) {
  statement.bindNoCopy(index, bytes.data(), static_cast<int>(bytes.size()));
}

absl::Status Damaged(const std::string& path) {
  return absl::DataLossError(
      absl::StrCat(path, ": holds a damaged account; restore the database from a backup"));
}

}  // namespace

absl::StatusOr<Account> ReadAccount(SQLite::Statement& statement, const std::string& path) {
  const auto epoch = static_cast<Epoch>(statement.getColumn(kEpoch).getInt64());
  if (epoch == 0) return Damaged(path);
  Account account{Username::FromPrepared(std::string(BytesOf(statement.getColumn(kName)))),
                  statement.getColumn(kEnabled).getInt() != 0,
                  epoch,
                  absl::FromUnixSeconds(statement.getColumn(kCreated).getInt64()),
                  absl::FromUnixSeconds(statement.getColumn(kPasswordChanged).getInt64()),
                  {std::string(BytesOf(statement.getColumn(kArgon2id))), std::nullopt}};
  const SQLite::Column salt = statement.getColumn(kScramSalt);
  if (salt.isNull()) return account;

  ScramKeys keys;
  keys.salt = std::string(BytesOf(salt));
  keys.iterations = statement.getColumn(kScramIterations).getUInt();
  keys.stored_key = Secret(BytesOf(statement.getColumn(kSha256Stored)));
  keys.server_key = Secret(BytesOf(statement.getColumn(kSha256Server)));
  keys.epoch = epoch;
  const size_t key_bytes = ScramHashBytes(ScramHash::kSha256);
  if (keys.salt.empty() || keys.iterations == 0 || keys.stored_key.size() != key_bytes ||
      keys.server_key.size() != key_bytes) {
    return Damaged(path);
  }
  account.credential.scram_sha_256 = std::move(keys);
  return account;
}

void BindAccount(SQLite::Statement& statement, const Account& account, Epoch epoch) {
  statement.bindNoCopy(1 + kName, account.name.str());
  statement.bind(1 + kEnabled, account.enabled ? 1 : 0);
  statement.bind(1 + kEpoch, static_cast<int64_t>(epoch));
  statement.bind(1 + kCreated, absl::ToUnixSeconds(account.created));
  statement.bind(1 + kPasswordChanged, absl::ToUnixSeconds(account.password_changed));
  statement.bindNoCopy(1 + kArgon2id, account.credential.argon2id);
  if (!account.credential.scram_sha_256) return;  // what is not bound is NULL
  const ScramKeys& keys = *account.credential.scram_sha_256;
  BindBytes(statement, 1 + kScramSalt, keys.salt);
  statement.bind(1 + kScramIterations, keys.iterations);
  BindBytes(statement, 1 + kSha256Stored, keys.stored_key.Reveal());
  BindBytes(statement, 1 + kSha256Server, keys.server_key.Reveal());
}

}  // namespace sasld
