// What is kept of a password: when it is set, and when a login shows it again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/auth/entropy.h"
#include "server/auth/password_hash.h"
#include "server/sasl/hash.h"
#include "server/sasl/scram_keys.h"
#include "server/sasl/username.h"
#include "storage/store.h"

namespace sasld {

// Argon2id always; the rest as the mechanisms that are switched on need it.
struct DerivationPlan {
  std::vector<Hash> scram_hashes;
  uint32_t scram_iterations = kScramIterationsLeast;
  bool cram_md5 = false;
  bool digest_md5 = false;
  std::string realm;  // DIGEST-MD5's

  // What mechanisms of these names need. Unknown ones need nothing.
  static DerivationPlan For(const std::vector<std::string>& mechanisms, uint32_t scram_iterations,
                            std::string_view realm);
};

// Thread-safe. What takes a password takes milliseconds of CPU for each hash: call it on the
// hashing lane. The hasher and the entropy must outlive it.
class Deriver {
 public:
  Deriver(const PasswordHasher& hasher, Entropy& entropy, DerivationPlan plan);

  // From now on this is what is kept.
  void Adopt(DerivationPlan plan);

  // The verifiers of a new password for the account `name`. ResourceExhausted: no memory.
  // `keep`: SCRAM's salt and count are these, as others' keys hang on them; null: a salt is drawn.
  absl::StatusOr<Credential> Derive(const Username& name, const Secret& prepared_password,
                                    const ScramVerifiers* keep = nullptr) const;

  // The SCRAM verifiers alone, for a password beside the account's own. No keys: no hash is
  // planned.
  ScramVerifiers DeriveScram(const Secret& prepared_password, const ScramVerifiers* keep) const;

  // Whether all is there that would be if the password was set now, and nothing that would not be
  // kept any more.
  bool IsComplete(const Account& account) const;

  // Makes it so; the password is the account's. What is there and up to date is left as it is.
  absl::Status Complete(Account& account, const Secret& prepared_password) const;

  // The same of an app password: whether it has the SCRAM keys that it would get if it was made
  // now.
  bool IsComplete(const AppPassword& one) const;
  // `id` is one of the account's, `as_shown` its text.
  void Complete(Account& account, std::string_view id, const Secret& as_shown) const;

  const PasswordHasher& hasher() const { return hasher_; }
  Entropy& entropy() const { return entropy_; }
  // DIGEST-MD5's.
  std::string realm() const { return plan().realm; }

 private:
  DerivationPlan plan() const;
  ScramVerifiers DeriveScram(const DerivationPlan& plan, const Secret& prepared_password,
                             const ScramVerifiers* keep) const;
  absl::Status HashInto(Credential& credential, const Secret& prepared_password) const;

  const PasswordHasher& hasher_;
  Entropy& entropy_;
  mutable absl::Mutex mutex_;
  DerivationPlan plan_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sasld
