#include "server/auth/user_import.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "proto/common/status_macros.h"
#include "server/auth/access.h"
#include "server/auth/attributes.h"
#include "server/auth/imported_password.h"
#include "server/auth/senders.h"
#include "storage/account_record.h"

namespace sasld {
namespace {

absl::Status Wrong(std::string_view what) { return absl::InvalidArgumentError(std::string(what)); }

// Makes it what is stored.
absl::Status TakeAccess(Access& access) {
  ASSIGN_OR_RETURN(access, PrepareAccess(access));
  return absl::OkStatus();
}

absl::Status CheckCredential(const Credential& credential) {
  if (!credential.argon2id.empty() && !PasswordHasher::IsHash(credential.argon2id)) {
    return Wrong("argon2id: is not a hash of sasld's");
  }
  if (!credential.imported.empty()) {
    ASSIGN_OR_RETURN(const ImportedPassword again, ReadImportedPassword(credential.imported));
    const auto* hash = std::get_if<ImportedHash>(&again);
    if (!hash || hash->text != credential.imported) return Wrong("imported: is not a hash");
  }
  if (credential.scram && (credential.scram->iterations < kScramIterationsLeast ||
                           credential.scram->iterations > kScramIterationsMost)) {
    return Wrong(absl::StrCat("scram_iterations: must be ", kScramIterationsLeast, " to ",
                              kScramIterationsMost));
  }
  return absl::OkStatus();
}

// Puts what a notation says into the credential; plaintext is left for later.
struct Placer {
  Credential& credential;
  const std::string& realm;
  std::optional<Secret>& plaintext;

  absl::Status operator()(ImportedPlaintext& given) {
    if (plaintext) return Wrong("password: is told twice");
    plaintext = std::move(given.prepared_password);
    return absl::OkStatus();
  }
  absl::Status operator()(ImportedHash& given) {
    if (!credential.imported.empty()) return Wrong("password: only one hash of a password is kept");
    credential.imported = std::move(given.text);
    return absl::OkStatus();
  }
  absl::Status operator()(ScramVerifiers& given) {
    if (!credential.scram) {
      credential.scram = std::move(given);
      return absl::OkStatus();
    }
    if (credential.scram->salt != given.salt || credential.scram->iterations != given.iterations) {
      return Wrong("password: SCRAM verifiers of one user must share salt and count");
    }
    credential.scram->keys.merge(given.keys);
    return absl::OkStatus();
  }
  absl::Status operator()(ImportedCramMd5& given) {
    credential.cram_md5 = std::move(given.states);
    return absl::OkStatus();
  }
  absl::Status operator()(ImportedDigestMd5& given) {
    credential.digest_md5 = DigestMd5Verifier{realm, std::move(given.ha1)};
    return absl::OkStatus();
  }
};

// The password, if it was told in plaintext.
absl::StatusOr<std::optional<Secret>> PlacePasswords(ImportedUser& user,
                                                     const std::string& configured_realm) {
  std::optional<Secret> plaintext;
  const std::string& realm =
      user.digest_md5_realm.empty() ? configured_realm : user.digest_md5_realm;
  for (const Secret& notation : user.passwords) {
    absl::StatusOr<ImportedPassword> read = ReadImportedPassword(notation.Reveal());
    if (!read.ok()) return Wrong(absl::StrCat("password: ", std::string(read.status().message())));
    RETURN_IF_ERROR(std::visit(Placer{user.account.credential, realm, plaintext}, *read));
  }
  return plaintext;
}

// Names and aliases that stand twice in one batch, which dry runs would not notice.
class Taken {
 public:
  bool Take(const Account& account) {
    std::set<std::string> names = {account.name.str()};
    for (const Username& alias : account.aliases) names.insert(alias.str());
    if (std::any_of(names.begin(), names.end(),
                    [this](const std::string& name) { return names_.contains(name); })) {
      return false;
    }
    names_.merge(names);
    return true;
  }

 private:
  std::set<std::string> names_;
};

}  // namespace

struct UserImport::Plaintext {
  size_t place;
  Secret password;
  absl::StatusOr<Credential> credential = absl::InternalError("not derived");
};

absl::Status PrepareImportedAccount(Account& account) {
  RETURN_IF_ERROR(TakeAccess(account.access));
  ASSIGN_OR_RETURN(account.senders, PrepareSenders(account.senders));
  RETURN_IF_ERROR(CheckAttributes(account.attributes));
  RETURN_IF_ERROR(CheckCredential(account.credential));
  for (AppPassword& one : account.app_passwords) {
    RETURN_IF_ERROR(TakeAccess(one.access));
    if (account.app_password_key.empty()) return Wrong("app_passwords: need app_password_key");
  }
  if (!CheckAccount(account).ok()) return Wrong("verifiers: one has a size that it cannot have");
  return absl::OkStatus();
}

// As many at a time as the lane has threads, so that logins are not kept waiting behind all of
// them.
absl::Status UserImport::Derive(std::span<ImportedUser> users, std::vector<Plaintext> plaintexts) {
  const size_t at_once = std::max<size_t>(1, lane_.limits().threads);
  for (size_t first = 0; first < plaintexts.size(); first += at_once) {
    const std::span<Plaintext> batch =
        std::span(plaintexts).subspan(first, std::min(at_once, plaintexts.size() - first));
    absl::BlockingCounter left(static_cast<int>(batch.size()));
    absl::Status refused;
    for (Plaintext& one : batch) {
      const Username& name = users[one.place].account.name;
      const absl::Status taken =
          lane_.Submit(Lane::kAdministration, absl::InfiniteFuture(),
                       [this, &one, &name, &left](Lane::Turn turn) {
                         one.credential = turn == Lane::Turn::kTooLate
                                              ? absl::UnavailableError("sasld is stopping")
                                              : deriver_.Derive(name, one.password);
                         left.DecrementCount();
                       });
      if (taken.ok()) continue;
      refused = taken;
      left.DecrementCount();
    }
    left.Wait();
    RETURN_IF_ERROR(refused);
  }
  for (Plaintext& one : plaintexts) {
    RETURN_IF_ERROR(one.credential.status());
    users[one.place].account.credential = *std::move(one.credential);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ImportResult>> UserImport::WouldBe(
    std::span<const ImportedUser> users, OnExisting on_existing,
    std::vector<ImportResult> results) const {
  for (size_t i = 0; i < users.size(); ++i) {
    if (!results[i].text.empty()) continue;
    const Account& account = users[i].account;
    const absl::StatusOr<Account> there = store_.Find(account.name);
    if (!there.ok() && !absl::IsNotFound(there.status())) return there.status();
    if (!there.ok()) {
      results[i].outcome = ImportResult::Outcome::kAdded;
    } else if (on_existing == OnExisting::kSkip) {
      results[i].outcome = ImportResult::Outcome::kSkipped;
    } else if (on_existing == OnExisting::kReplace && there->name == account.name) {
      results[i].outcome = ImportResult::Outcome::kReplaced;
    } else {
      results[i].text = "there is a user of that name or alias already";
    }
    for (const Username& alias : account.aliases) {
      const absl::StatusOr<Account> owner = store_.Find(alias);
      if (owner.ok() && owner->name != account.name) {
        results[i] = {ImportResult::Outcome::kRefused, "an alias is another user's name or alias"};
      }
    }
  }
  return results;
}

absl::StatusOr<std::vector<ImportResult>> UserImport::Import(std::span<ImportedUser> users,
                                                             OnExisting on_existing, bool dry_run,
                                                             absl::Time now) {
  std::vector<ImportResult> results(users.size());
  std::vector<Plaintext> plaintexts;
  Taken taken;
  const std::string realm = deriver_.realm();
  for (size_t i = 0; i < users.size(); ++i) {
    Account& account = users[i].account;
    // An export of this very server: nothing of it is out of date.
    deriver_.hasher().RecognizePepper(account.credential);
    if (account.created == absl::Time()) account.created = now;
    if (account.password_changed == absl::Time()) account.password_changed = now;
    absl::StatusOr<std::optional<Secret>> plaintext = PlacePasswords(users[i], realm);
    absl::Status status = plaintext.status();
    if (status.ok()) status = PrepareImportedAccount(account);
    if (status.ok() && !taken.Take(account)) {
      status = Wrong("its name, or an alias, was there before in this source");
    }
    if (!status.ok()) {
      results[i].text = std::string(status.message());
    } else if (*plaintext) {
      plaintexts.push_back({i, **std::move(plaintext)});
    }
  }
  if (dry_run) return WouldBe(users, on_existing, std::move(results));
  RETURN_IF_ERROR(Derive(users, std::move(plaintexts)));

  std::vector<Account> accounts;
  std::vector<size_t> places;
  for (size_t i = 0; i < users.size(); ++i) {
    if (!results[i].text.empty()) continue;
    accounts.push_back(std::move(users[i].account));
    places.push_back(i);
  }
  ASSIGN_OR_RETURN(
      const std::vector<absl::StatusOr<Written>> written,
      store_.CreateMany(
          accounts, on_existing == OnExisting::kReplace ? IfThere::kReplace : IfThere::kRefuse));
  for (size_t i = 0; i < written.size(); ++i) {
    ImportResult& result = results[places[i]];
    if (written[i].ok()) {
      result.outcome =
          written[i]->replaced ? ImportResult::Outcome::kReplaced : ImportResult::Outcome::kAdded;
    } else if (absl::IsAlreadyExists(written[i].status()) && on_existing == OnExisting::kSkip) {
      result.outcome = ImportResult::Outcome::kSkipped;
    } else {
      result.text = std::string(written[i].status().message());
    }
  }
  return results;
}

}  // namespace sasld
