#include "server/rpc/user_records.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "server/rpc/admin_messages.h"
#include "server/sasl/hash.h"

namespace sasld {
namespace {

// A field of the contract that is filled with a secret: what gRPC keeps of it cannot be wiped.
void SetBytes(const Secret& secret, std::string& field) { field.assign(secret.Reveal()); }

void FillScramKeys(const std::map<Hash, ScramKeyPair>& keys,
                   google::protobuf::RepeatedPtrField<v1::ScramKeys>& filled) {
  for (const auto& [hash, pair] : keys) {
    v1::ScramKeys& one = *filled.Add();
    one.set_hash(std::string(NameOf(hash)));
    SetBytes(pair.stored_key, *one.mutable_stored_key());
    SetBytes(pair.server_key, *one.mutable_server_key());
  }
}

absl::StatusOr<std::map<Hash, ScramKeyPair>> ReadScramKeys(
    const google::protobuf::RepeatedPtrField<v1::ScramKeys>& given) {
  std::map<Hash, ScramKeyPair> keys;
  for (const v1::ScramKeys& one : given) {
    std::optional<Hash> hash;
    for (const Hash known : kAllHashes) {
      if (NameOf(known) == one.hash()) hash = known;
    }
    if (!hash) return absl::InvalidArgumentError("scram_keys: there is no such hash");
    if (!keys.emplace(*hash, ScramKeyPair{Secret(one.stored_key()), Secret(one.server_key())})
             .second) {
      return absl::InvalidArgumentError("scram_keys: a hash is there twice");
    }
  }
  return keys;
}

void FillVerifiers(const Credential& credential, const PasswordHasher& hasher,
                   v1::Verifiers& verifiers) {
  verifiers.set_argon2id(credential.argon2id);
  if (!credential.argon2id.empty()) {
    if (const std::optional<Secret> pepper = hasher.PepperOf(credential)) {
      SetBytes(*pepper, *verifiers.mutable_argon2id_secret());
    }
  }
  verifiers.set_imported(credential.imported);
  if (credential.scram) {
    verifiers.set_scram_salt(credential.scram->salt);
    verifiers.set_scram_iterations(credential.scram->iterations);
    FillScramKeys(credential.scram->keys, *verifiers.mutable_scram_keys());
  }
  SetBytes(credential.cram_md5, *verifiers.mutable_cram_md5());
  if (credential.digest_md5) {
    verifiers.set_digest_md5_realm(credential.digest_md5->realm);
    SetBytes(credential.digest_md5->ha1, *verifiers.mutable_digest_md5_ha1());
  }
}

absl::Status ReadVerifiers(const v1::Verifiers& verifiers, Credential& credential) {
  credential.argon2id = verifiers.argon2id();
  credential.pepper = Secret(verifiers.argon2id_secret());
  if (!credential.argon2id.empty() && credential.pepper.empty()) {
    return absl::InvalidArgumentError("argon2id: needs argon2id_secret, which export tells");
  }
  credential.imported = verifiers.imported();
  if (!verifiers.scram_salt().empty()) {
    ASSIGN_OR_RETURN(auto keys, ReadScramKeys(verifiers.scram_keys()));
    credential.scram = {verifiers.scram_salt(), verifiers.scram_iterations(), std::move(keys)};
  }
  credential.cram_md5 = Secret(verifiers.cram_md5());
  if (!verifiers.digest_md5_ha1().empty()) {
    credential.digest_md5 =
        DigestMd5Verifier{verifiers.digest_md5_realm(), Secret(verifiers.digest_md5_ha1())};
  }
  return absl::OkStatus();
}

void FillAppPassword(const AppPassword& one, v1::AppPasswordRecord& record) {
  record.set_id(one.id);
  record.set_label(one.label);
  SetBytes(one.lookup, *record.mutable_lookup());
  FillScramKeys(one.scram, *record.mutable_scram_keys());
  FillAccess(one.access, *record.mutable_access());
  SetTime(one.created, *record.mutable_created());
  if (one.expires != absl::InfiniteFuture()) SetTime(one.expires, *record.mutable_expires());
}

absl::StatusOr<AppPassword> ReadAppPassword(const v1::AppPasswordRecord& record) {
  AppPassword one;
  one.id = record.id();
  one.label = record.label();
  one.lookup = Secret(record.lookup());
  ASSIGN_OR_RETURN(one.scram, ReadScramKeys(record.scram_keys()));
  one.access = AccessOf(record.access());
  one.created = TimeOf(record.created());
  if (record.has_expires()) one.expires = TimeOf(record.expires());
  return one;
}

absl::StatusOr<Username> ReadName(std::string_view field, const std::string& name) {
  absl::StatusOr<Username> prepared = Username::Prepare(name);
  if (prepared.ok()) return prepared;
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(field), ": ", std::string(prepared.status().message())));
}

}  // namespace

void FillRecord(const Account& account, const PasswordHasher& hasher, v1::UserRecord& record) {
  record.set_name(account.name.str());
  record.set_disabled(!account.enabled);
  SetTime(account.created, *record.mutable_created());
  SetTime(account.password_changed, *record.mutable_password_changed());
  FillVerifiers(account.credential, hasher, *record.mutable_verifiers());
  for (const AppPassword& one : account.app_passwords) {
    FillAppPassword(one, *record.add_app_passwords());
  }
  SetBytes(account.app_password_key, *record.mutable_app_password_key());
  record.set_require_app_password(account.require_app_password);
  record.set_send_only(account.send_only);
  record.set_must_change_password(account.must_change_password);
  if (account.expires != absl::InfiniteFuture())
    SetTime(account.expires, *record.mutable_expires());
  if (account.access != Access()) FillAccess(account.access, *record.mutable_access());
  for (const Username& alias : account.aliases) record.add_aliases(alias.str());
  record.mutable_senders()->Assign(account.senders.begin(), account.senders.end());
  record.mutable_attributes()->insert(account.attributes.begin(), account.attributes.end());
}

absl::StatusOr<ImportedUser> ReadRecord(const v1::UserRecord& record) {
  ASSIGN_OR_RETURN(Username name, ReadName("name", record.name()));
  ImportedUser user{{std::move(name), !record.disabled(), 0, {}, {}, {}}, {}, {}};
  Account& account = user.account;
  if (record.has_created()) account.created = TimeOf(record.created());
  if (record.has_password_changed()) account.password_changed = TimeOf(record.password_changed());
  for (const std::string& notation : record.passwords()) user.passwords.emplace_back(notation);
  user.digest_md5_realm = record.digest_md5_realm();
  RETURN_IF_ERROR(ReadVerifiers(record.verifiers(), account.credential));
  for (const v1::AppPasswordRecord& one : record.app_passwords()) {
    ASSIGN_OR_RETURN(AppPassword app_password, ReadAppPassword(one));
    account.app_passwords.push_back(std::move(app_password));
  }
  account.app_password_key = Secret(record.app_password_key());
  account.require_app_password = record.require_app_password();
  account.send_only = record.send_only();
  account.must_change_password = record.must_change_password();
  if (record.has_expires()) account.expires = TimeOf(record.expires());
  account.access = AccessOf(record.access());
  for (const std::string& alias : record.aliases()) {
    ASSIGN_OR_RETURN(Username prepared, ReadName("aliases", alias));
    account.aliases.push_back(std::move(prepared));
  }
  account.senders = {record.senders().begin(), record.senders().end()};
  account.attributes = {record.attributes().begin(), record.attributes().end()};
  return user;
}

}  // namespace sasld
