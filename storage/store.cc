#include "storage/store.h"

namespace sasld {

Account CloneAccount(const Account& account) {
  Account clone{account.name,    account.enabled,          account.epoch,
                account.created, account.password_changed, {account.credential.argon2id, {}}};
  if (account.credential.scram_sha_256) {
    const ScramKeys& keys = *account.credential.scram_sha_256;
    clone.credential.scram_sha_256 = ScramKeys{keys.salt, keys.iterations, keys.stored_key.Clone(),
                                               keys.server_key.Clone(), keys.epoch};
  }
  return clone;
}

}  // namespace sasld
