#include "server/auth/credential_match.h"

#include "server/auth/imported_password.h"
#include "server/auth/verifier_match.h"

namespace sasld {

bool CanCheckPassword(const Credential& credential) {
  return !credential.argon2id.empty() || !credential.imported.empty() ||
         (credential.scram && !credential.scram->keys.empty()) || !credential.cram_md5.empty() ||
         credential.digest_md5;
}

absl::StatusOr<bool> PasswordMatches(const PasswordHasher& hasher, const Account& account,
                                     const Secret& password) {
  const Credential& credential = account.credential;
  if (!credential.argon2id.empty()) return hasher.Verify(credential, password);
  if (!credential.imported.empty()) return VerifyImportedHash(credential.imported, password);
  if (credential.scram && !credential.scram->keys.empty()) {
    return MatchesScram(*credential.scram, password);
  }
  if (!credential.cram_md5.empty()) return MatchesCramMd5(credential.cram_md5, password);
  const DigestMd5Verifier& digest_md5 = *credential.digest_md5;
  const std::string& name = account.name.str();
  // Others hash user and domain apart, which we do not.
  const size_t at = name.rfind('@');
  return MatchesDigestMd5(digest_md5.ha1, name, digest_md5.realm, password) ||
         (at != std::string::npos &&
          MatchesDigestMd5(digest_md5.ha1, name.substr(0, at), name.substr(at + 1), password));
}

bool IsSameVerifier(const Credential& a, const Credential& b) {
  if (a.argon2id != b.argon2id || a.imported != b.imported) return false;
  if (!a.argon2id.empty() || !a.imported.empty()) return true;
  const bool same_scram =
      a.scram.has_value() == b.scram.has_value() && (!a.scram || a.scram->salt == b.scram->salt);
  return same_scram && EqualsConstantTime(a.cram_md5.Reveal(), b.cram_md5.Reveal()) &&
         a.digest_md5.has_value() == b.digest_md5.has_value() &&
         (!a.digest_md5 ||
          EqualsConstantTime(a.digest_md5->ha1.Reveal(), b.digest_md5->ha1.Reveal()));
}

}  // namespace sasld
