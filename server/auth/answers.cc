#include "server/auth/answers.h"

#include <map>
#include <string>
#include <utility>

#include "proto/common/status_macros.h"
#include "server/auth/app_passwords.h"
#include "server/auth/credential_match.h"
#include "server/sasl/fields.h"
#include "server/sasl/password_equivalents.h"

namespace sasld {
namespace {

// How often a password is verified that is changed each time meanwhile.
constexpr int kAttempts = 4;

}  // namespace

Answers::Answers(Store& store, const Directory& directory, const Deriver& deriver,
                 InFlight& in_flight, VerificationCache& cache, const Secret& decoy_key,
                 uint32_t decoy_iterations)
    : store_(store),
      directory_(directory),
      deriver_(deriver),
      in_flight_(in_flight),
      cache_(cache),
      decoy_key_(decoy_key.Clone()),
      decoy_iterations_(decoy_iterations) {}

Secret Answers::Decoy(std::string_view use, const Username& user, Hash hash) const {
  // An account has one salt, however its name is written, so nobody has one too.
  std::string message;
  AppendField(message, use);
  AppendField(message, directory_.Complete(user).str());
  return Hmac(hash, decoy_key_.Reveal(), message);
}

void Answers::FillDecoyPair(const ScramUser& user, ScramKeys& keys) const {
  keys.candidates.push_back(
      {"",
       {Decoy("StoredKey", user.authcid, user.hash), Decoy("ServerKey", user.authcid, user.hash)}});
}

absl::StatusOr<ScramAnswer> Answers::KeysFor(const ScramUser& user) const {
  absl::StatusOr<Account> account = directory_.Find(user.authcid);
  if (!account.ok() && !absl::IsNotFound(account.status())) return account.status();
  ScramAnswer answer;
  ScramKeys& keys = answer.keys;
  if (account.ok()) {
    answer.account = *std::move(account);
    answer.basis = Basis::kNoVerifier;
    keys.epoch = answer.account->epoch;
  }
  // Making decoys takes about a microsecond, as reading a row does: neither shows on a wire.
  if (!answer.account || !answer.account->credential.scram) {
    // All SCRAM hashes of a user share one salt, so it does not hang on the hash.
    keys.salt = Decoy("salt", user.authcid, Hash::kSha256).Reveal().substr(0, kScramSaltBytes);
    keys.iterations = decoy_iterations_;
    FillDecoyPair(user, keys);
    return answer;
  }
  ScramVerifiers& scram = *answer.account->credential.scram;
  keys.salt = std::move(scram.salt);
  keys.iterations = scram.iterations;
  const auto take = [&](std::string_view name, std::map<Hash, ScramKeyPair>& pairs) {
    const auto pair = pairs.find(user.hash);
    if (pair == pairs.end()) return;
    keys.candidates.push_back({std::string(name), std::move(pair->second)});
    answer.basis = Basis::kVerifier;
  };
  take("", scram.keys);
  for (AppPassword& one : answer.account->app_passwords) take(one.id, one.scram);
  if (keys.candidates.empty()) FillDecoyPair(user, keys);
  return answer;
}

absl::StatusOr<EquivalentAnswer> Answers::EquivalentFor(const EquivalentOf& question) const {
  absl::StatusOr<Account> account = directory_.Find(question.authcid);
  if (!account.ok() && !absl::IsNotFound(account.status())) return account.status();
  Credential* credential = account.ok() ? &account->credential : nullptr;
  const Basis without = credential ? Basis::kNoVerifier : Basis::kNoAccount;
  switch (question.kind) {
    case PasswordEquivalent::kCramMd5:
      if (credential && !credential->cram_md5.empty()) {
        return EquivalentAnswer{std::move(credential->cram_md5), Basis::kVerifier};
      }
      return EquivalentAnswer{Decoy("CRAM-MD5", question.authcid, Hash::kSha256), without};
    case PasswordEquivalent::kDigestMd5:
      // One that was made for another realm fits no client's answer anyway.
      if (credential && credential->digest_md5 && credential->digest_md5->realm == question.realm) {
        return EquivalentAnswer{std::move(credential->digest_md5->ha1), Basis::kVerifier};
      }
      const Secret decoy = Decoy("DIGEST-MD5", question.authcid, Hash::kSha256);
      return EquivalentAnswer{Secret(decoy.Reveal().substr(0, kMd5Bytes)), without};
  }
  return absl::InternalError("a password-equivalent of no kind");
}

absl::StatusOr<PasswordAnswer> Answers::VerifyOnce(const PasswordClaim& claim,
                                                   const absl::StatusOr<Account>& account) const {
  const PasswordHasher& hasher = deriver_.hasher();
  if (!account.ok() && !absl::IsNotFound(account.status())) return account.status();
  checks_.hashed.Add();
  if (!account.ok() || !CanCheckPassword(account->credential)) {
    RETURN_IF_ERROR(hasher.VerifyDecoy(claim.password));
    return PasswordAnswer{PasswordVerdict::kNoMatch,
                          account.ok() ? Basis::kNoVerifier : Basis::kNoAccount};
  }
  ASSIGN_OR_RETURN(const bool matches, PasswordMatches(hasher, *account, claim.password));
  return PasswordAnswer{matches ? PasswordVerdict::kMatch : PasswordVerdict::kNoMatch,
                        Basis::kVerifier};
}

absl::StatusOr<PasswordAnswer> Answers::Verify(const PasswordClaim& claim, std::string_view service,
                                               absl::Time now) const {
  absl::StatusOr<Account> account = directory_.Find(claim.authcid);
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(const PasswordAnswer answer, VerifyOnce(claim, account));
    if (answer.verdict == PasswordVerdict::kNoMatch) return answer;
    // A password that was changed while it was hashed here is an old one by now. Other changes are
    // none of its business: a login beside this one may have completed the verifiers.
    absl::StatusOr<Account> after = directory_.Find(claim.authcid);
    const bool same_verifier = after.ok() && IsSameVerifier(after->credential, account->credential);
    account = std::move(after);
    if (same_verifier) {
      Complete(*account, claim);
      cache_.Remember(claim, service, account->epoch, now);
      return answer;
    }
    if (attempt == kAttempts) return absl::UnavailableError("the account is being changed");
  }
}

// The one moment at which the password is at hand: what it lacks is derived. A write that fails, or
// that another overtook, is tried again at the next login.
void Answers::Complete(Account& account, const PasswordClaim& claim) const {
  if (deriver_.IsComplete(account)) return;
  Account complete = CloneAccount(account);
  if (!deriver_.Complete(complete, claim.password).ok()) return;
  const absl::StatusOr<Epoch> epoch = store_.Update(complete);
  if (epoch.ok()) account.epoch = *epoch;
}

// Who is not there, or has no app passwords, is looked for all the same. What has not the shape of
// an app password is none of anybody's.
const AppPassword* Answers::MatchAppPassword(const PasswordClaim& claim,
                                             const absl::StatusOr<Account>& account) const {
  const std::optional<Secret> shown = AppPasswordAsShown(claim.password.Reveal());
  if (!shown) return nullptr;
  const bool has_key = account.ok() && !account->app_password_key.empty();
  const Secret lookup = AppPasswordLookup(has_key ? account->app_password_key : decoy_key_, *shown);
  return has_key ? FindByLookup(*account, lookup) : nullptr;
}

// Nobody waits for it: who has proved an app password is in. Several logins by it are one job.
void Answers::CompleteOnLane(PasswordClaim claim, Epoch epoch, const Caller& caller) const {
  const ClaimMac::Value key = in_flight_.KeyOf(claim, caller.service, epoch);
  in_flight_.Check(
      key, {caller.source, absl::InfiniteFuture(), nullptr, caller.service, caller.now},
      [this, claim = std::move(claim)] { return CompleteAppPassword(claim); },
      [](const absl::StatusOr<PasswordAnswer>&) {});
}

absl::StatusOr<PasswordAnswer> Answers::CompleteAppPassword(const PasswordClaim& claim) const {
  absl::StatusOr<Account> account = directory_.Find(claim.authcid);
  const AppPassword* matched = MatchAppPassword(claim, account);
  if (matched == nullptr) return absl::NotFoundError("it was revoked meanwhile");
  PasswordAnswer answer{PasswordVerdict::kMatch, Basis::kVerifier, matched->id};
  if (!deriver_.IsComplete(*matched)) {
    deriver_.Complete(*account, answer.app_password, *AppPasswordAsShown(claim.password.Reveal()));
    RETURN_IF_ERROR(store_.Update(*account).status());
  }
  return answer;
}

void Answers::Check(PasswordClaim claim, Caller caller, OnVerdict done) const {
  const absl::StatusOr<Account> account = directory_.Find(claim.authcid);
  if (!account.ok() && !absl::IsNotFound(account.status())) {
    return std::move(done)(account.status());
  }
  if (const AppPassword* matched = MatchAppPassword(claim, account)) {
    checks_.app_password.Add();
    std::move(done)(PasswordAnswer{PasswordVerdict::kMatch, Basis::kVerifier, matched->id});
    if (!deriver_.IsComplete(*matched)) CompleteOnLane(std::move(claim), account->epoch, caller);
    return;
  }
  const uint64_t epoch = account.ok() ? account->epoch : 0;
  if (account.ok() && cache_.Holds(claim, caller.service, epoch, caller.now)) {
    checks_.remembered.Add();
    return std::move(done)(PasswordAnswer{PasswordVerdict::kMatch, Basis::kVerifier});
  }
  const ClaimMac::Value key = in_flight_.KeyOf(claim, caller.service, epoch);
  in_flight_.Check(
      key, caller,
      [this, claim = std::move(claim), service = caller.service, now = caller.now] {
        return Verify(claim, service, now);
      },
      std::move(done));
}

}  // namespace sasld
