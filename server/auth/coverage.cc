#include "server/auth/coverage.h"

#include <vector>

#include "proto/common/status_macros.h"
#include "server/auth/credential_match.h"

namespace sasld {
namespace {

constexpr size_t kPage = 1000;

bool IsCheckedByVerifier(const RegisteredMechanism& mechanism) {
  return mechanism.verifier != Verifier::kCertificate && mechanism.verifier != Verifier::kNone;
}

}  // namespace

bool CanServe(const Credential& credential, const RegisteredMechanism& mechanism) {
  switch (mechanism.verifier) {
    case Verifier::kPassword:
      return CanCheckPassword(credential);
    case Verifier::kScram:
      return credential.scram && credential.scram->keys.contains(mechanism.hash);
    case Verifier::kCramMd5:
      return !credential.cram_md5.empty();
    case Verifier::kDigestMd5:
      return credential.digest_md5.has_value();
    case Verifier::kCertificate:
    case Verifier::kNone:
      return false;  // nothing of an account's is checked
  }
  return false;
}

absl::StatusOr<Coverage> CoverageOf(const Store& store, const std::function<bool()>& gone) {
  Coverage coverage;
  for (const RegisteredMechanism& mechanism : AllMechanisms()) {
    if (IsCheckedByVerifier(mechanism)) coverage.users_of[mechanism.name] = 0;
  }
  AccountQuery query;
  query.limit = kPage;
  while (true) {
    if (gone()) return absl::CancelledError("nobody waits for it any more");
    ASSIGN_OR_RETURN(const std::vector<Account> page, store.List(query));
    for (const Account& account : page) {
      ++coverage.users;
      for (const RegisteredMechanism& mechanism : AllMechanisms()) {
        if (CanServe(account.credential, mechanism)) ++coverage.users_of[mechanism.name];
      }
    }
    if (page.size() < kPage) return coverage;
    query.after = page.back().name.str();
  }
}

}  // namespace sasld
