#include "storage/store.h"

#include <algorithm>

namespace sasld {

Credential Credential::Clone() const {
  Credential clone;
  clone.argon2id = argon2id;
  clone.pepper_id = pepper_id;
  clone.pepper = pepper.Clone();
  clone.imported = imported;
  if (scram) clone.scram = scram->Clone();
  clone.cram_md5 = cram_md5.Clone();
  if (digest_md5) clone.digest_md5 = DigestMd5Verifier{digest_md5->realm, digest_md5->ha1.Clone()};
  return clone;
}

AppPassword AppPassword::Clone() const {
  AppPassword clone{id, label, lookup.Clone(), {}, access, created, expires};
  for (const auto& [hash, pair] : scram) clone.scram.emplace(hash, pair.Clone());
  return clone;
}

Account CloneAccount(const Account& account) {
  Account clone{account.name,    account.enabled,          account.epoch,
                account.created, account.password_changed, account.credential.Clone()};
  for (const AppPassword& one : account.app_passwords) clone.app_passwords.push_back(one.Clone());
  clone.app_password_key = account.app_password_key.Clone();
  clone.require_app_password = account.require_app_password;
  clone.send_only = account.send_only;
  clone.must_change_password = account.must_change_password;
  clone.expires = account.expires;
  clone.access = account.access;
  clone.aliases = account.aliases;
  clone.senders = account.senders;
  clone.attributes = account.attributes;
  clone.domain = account.domain;
  return clone;
}

std::string_view DomainOf(const Username& name) {
  const std::string_view text = name.str();
  const size_t at = text.rfind('@');
  return at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
}

bool HasCredential(const Account& account, std::string_view app_password) {
  return app_password.empty() ||
         std::any_of(account.app_passwords.begin(), account.app_passwords.end(),
                     [app_password](const AppPassword& one) { return one.id == app_password; });
}

}  // namespace sasld
