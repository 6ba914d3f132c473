#include "server/auth/answers.h"

#include <string>
#include <utility>

#include "proto/common/status_macros.h"
#include "server/sasl/fields.h"

namespace sasld {

Answers::Answers(const Store& store, const PasswordHasher& hasher, Lane& lane,
                 const Secret& decoy_key, uint32_t decoy_iterations)
    : store_(store),
      hasher_(hasher),
      lane_(lane),
      decoy_key_(decoy_key.Clone()),
      decoy_iterations_(decoy_iterations) {}

ScramKeys Answers::DecoyKeys(const ScramUser& user) const {
  const auto derive = [this, &user](std::string_view use) {
    std::string message;
    AppendField(message, use);
    AppendField(message, user.authcid.str());
    return ScramHmac(user.hash, decoy_key_.Reveal(), message);
  };
  ScramKeys keys;
  // All SCRAM hashes of a user share one salt, so it does not hang on the hash.
  keys.salt = std::string(derive("salt").Reveal().substr(0, kScramSaltBytes));
  keys.iterations = decoy_iterations_;
  keys.stored_key = derive("StoredKey");
  keys.server_key = derive("ServerKey");
  return keys;
}

absl::StatusOr<ScramKeys> Answers::KeysFor(const ScramUser& user) const {
  absl::StatusOr<Account> account = store_.Find(user.authcid);
  // Making decoys takes about a microsecond, as reading a row does: neither shows on a wire.
  if (absl::IsNotFound(account.status())) return DecoyKeys(user);
  if (!account.ok()) return account.status();
  if (!account->credential.scram_sha_256) return DecoyKeys(user);
  ScramKeys keys = *std::move(account->credential.scram_sha_256);
  keys.epoch = account->epoch;
  return keys;
}

absl::StatusOr<PasswordVerdict> Answers::Verify(const PasswordClaim& claim) const {
  const absl::StatusOr<Account> account = store_.Find(claim.authcid);
  if (!account.ok() && !absl::IsNotFound(account.status())) return account.status();
  if (!account.ok() || account->credential.argon2id.empty()) {
    RETURN_IF_ERROR(hasher_.VerifyDecoy(claim.password));
    return PasswordVerdict::kNoMatch;
  }
  ASSIGN_OR_RETURN(const bool matches,
                   hasher_.Verify(account->credential.argon2id, claim.password));
  if (!matches) return PasswordVerdict::kNoMatch;
  // A password that was changed while it was hashed here is an old one by now.
  const absl::StatusOr<Account> now = store_.Find(claim.authcid);
  if (absl::IsNotFound(now.status())) return PasswordVerdict::kNoMatch;
  if (!now.ok()) return now.status();
  return now->epoch == account->epoch ? PasswordVerdict::kMatch : PasswordVerdict::kNoMatch;
}

void Answers::Check(PasswordClaim claim, Caller caller, OnVerdict done) const {
  // The lane drops a refused job, and `done` must be called all the same.
  auto shared_done = std::make_shared<OnVerdict>(std::move(done));
  const absl::Status taken = lane_.Submit(
      caller.source, caller.deadline,
      [this, claim = std::move(claim), gone = caller.gone, shared_done](Lane::Turn turn) {
        if (turn == Lane::Turn::kTooLate || (gone && gone->load(std::memory_order_relaxed))) {
          std::move (*shared_done)(absl::DeadlineExceededError("waited too long to be checked"));
          return;
        }
        std::move (*shared_done)(Verify(claim));
      });
  if (!taken.ok()) std::move (*shared_done)(taken);
}

}  // namespace sasld
