#include "server/auth/derivation.h"

#include <algorithm>
#include <utility>

#include "proto/common/status_macros.h"
#include "server/sasl/password_equivalents.h"
#include "server/sasl/registry.h"

namespace sasld {
namespace {

constexpr size_t kArgon2SaltBytes = 16;

using ScramKeysByHash = std::map<Hash, ScramKeyPair>;

// With the salt and the count of `scram`.
void AddScramKeys(const DerivationPlan& plan, const Secret& prepared_password,
                  const ScramVerifiers& scram, ScramKeysByHash& keys) {
  for (const Hash hash : plan.scram_hashes) {
    if (keys.contains(hash)) continue;
    keys.emplace(hash, DeriveScramKeyPair(hash, prepared_password, scram.salt, scram.iterations));
  }
}

bool HasKeysOfAll(const DerivationPlan& plan, const ScramKeysByHash& keys) {
  return std::all_of(plan.scram_hashes.begin(), plan.scram_hashes.end(),
                     [&keys](Hash hash) { return keys.contains(hash); });
}

// A password-equivalent is not kept for a mechanism that is switched off.
void SetEquivalents(const DerivationPlan& plan, const Username& name,
                    const Secret& prepared_password, Credential& credential) {
  credential.cram_md5 = plan.cram_md5 ? CramMd5States(prepared_password) : Secret();
  credential.digest_md5.reset();
  if (plan.digest_md5) {
    credential.digest_md5 =
        DigestMd5Verifier{plan.realm, DigestMd5Ha1(name.str(), plan.realm, prepared_password)};
  }
}

// Whether the keys that there are may stay. App passwords hang on salt and count: with them a count
// that is out of date stays.
bool KeepsScram(const DerivationPlan& plan, const Account& account) {
  return account.credential.scram &&
         (account.credential.scram->iterations == plan.scram_iterations ||
          !account.app_passwords.empty());
}

bool HasScramKeys(const DerivationPlan& plan, const Account& account) {
  if (plan.scram_hashes.empty()) return true;
  return KeepsScram(plan, account) && HasKeysOfAll(plan, account.credential.scram->keys);
}

bool HasEquivalents(const DerivationPlan& plan, const Credential& credential) {
  const bool digest_md5 = credential.digest_md5 && credential.digest_md5->realm == plan.realm;
  return plan.cram_md5 != credential.cram_md5.empty() &&
         (plan.digest_md5 ? digest_md5 : !credential.digest_md5.has_value());
}

}  // namespace

DerivationPlan DerivationPlan::For(const std::vector<std::string>& mechanisms,
                                   uint32_t scram_iterations, std::string_view realm) {
  DerivationPlan plan;
  plan.scram_iterations = scram_iterations;
  plan.realm = realm;
  for (const std::string& name : mechanisms) {
    const RegisteredMechanism* mechanism = FindMechanism(name);
    if (mechanism == nullptr) continue;
    switch (mechanism->verifier) {
      case Verifier::kScram:
        // With and without channel binding they share their keys.
        if (std::find(plan.scram_hashes.begin(), plan.scram_hashes.end(), mechanism->hash) ==
            plan.scram_hashes.end()) {
          plan.scram_hashes.push_back(mechanism->hash);
        }
        break;
      case Verifier::kCramMd5:
        plan.cram_md5 = true;
        break;
      case Verifier::kDigestMd5:
        plan.digest_md5 = true;
        break;
      case Verifier::kPassword:
      case Verifier::kCertificate:
      case Verifier::kNone:
        break;
    }
  }
  return plan;
}

Deriver::Deriver(const PasswordHasher& hasher, Entropy& entropy, DerivationPlan plan)
    : hasher_(hasher), entropy_(entropy), plan_(std::move(plan)) {}

void Deriver::Adopt(DerivationPlan plan) {
  absl::MutexLock lock(&mutex_);
  plan_ = std::move(plan);
}

DerivationPlan Deriver::plan() const {
  absl::ReaderMutexLock lock(&mutex_);
  return plan_;
}

absl::Status Deriver::HashInto(Credential& credential, const Secret& prepared_password) const {
  ASSIGN_OR_RETURN(Argon2idVerifier argon2id,
                   hasher_.Hash(prepared_password, entropy_.Bytes(kArgon2SaltBytes)));
  credential.argon2id = std::move(argon2id.phc);
  credential.pepper_id = argon2id.pepper_id;
  credential.pepper = Secret();
  credential.imported.clear();
  return absl::OkStatus();
}

ScramVerifiers Deriver::DeriveScram(const Secret& prepared_password,
                                    const ScramVerifiers* keep) const {
  return DeriveScram(plan(), prepared_password, keep);
}

ScramVerifiers Deriver::DeriveScram(const DerivationPlan& plan, const Secret& prepared_password,
                                    const ScramVerifiers* keep) const {
  ScramVerifiers scram;
  scram.salt = keep ? keep->salt : entropy_.Bytes(kScramSaltBytes);
  scram.iterations = keep ? keep->iterations : plan.scram_iterations;
  AddScramKeys(plan, prepared_password, scram, scram.keys);
  return scram;
}

absl::StatusOr<Credential> Deriver::Derive(const Username& name, const Secret& prepared_password,
                                           const ScramVerifiers* keep) const {
  const DerivationPlan plan = this->plan();
  Credential credential;
  RETURN_IF_ERROR(HashInto(credential, prepared_password));
  if (keep || !plan.scram_hashes.empty()) {
    credential.scram = DeriveScram(plan, prepared_password, keep);
  }
  SetEquivalents(plan, name, prepared_password, credential);
  return credential;
}

bool Deriver::IsComplete(const Account& account) const {
  const DerivationPlan plan = this->plan();
  return hasher_.IsUpToDate(account.credential) && account.credential.imported.empty() &&
         HasScramKeys(plan, account) && HasEquivalents(plan, account.credential);
}

absl::Status Deriver::Complete(Account& account, const Secret& prepared_password) const {
  const DerivationPlan plan = this->plan();
  Credential& credential = account.credential;
  if (!hasher_.IsUpToDate(credential) || !credential.imported.empty()) {
    RETURN_IF_ERROR(HashInto(credential, prepared_password));
  }
  if (!plan.scram_hashes.empty()) {
    if (KeepsScram(plan, account)) {
      AddScramKeys(plan, prepared_password, *credential.scram, credential.scram->keys);
    } else {
      credential.scram = DeriveScram(plan, prepared_password, nullptr);
    }
  }
  SetEquivalents(plan, account.name, prepared_password, credential);
  return absl::OkStatus();
}

bool Deriver::IsComplete(const AppPassword& one) const { return HasKeysOfAll(plan(), one.scram); }

void Deriver::Complete(Account& account, std::string_view id, const Secret& as_shown) const {
  const DerivationPlan plan = this->plan();
  std::optional<ScramVerifiers>& scram = account.credential.scram;
  if (!scram) scram = {entropy_.Bytes(kScramSaltBytes), plan.scram_iterations, {}};
  for (AppPassword& one : account.app_passwords) {
    if (one.id == id) AddScramKeys(plan, as_shown, *scram, one.scram);
  }
  // The account's own password is not at hand to be hashed anew. As it is written again, perhaps
  // after a pass that changes keys was here, it takes its pepper along.
  hasher_.CarryPepper(account.credential);
}

}  // namespace sasld
