#include "storage/store.h"

#include <gtest/gtest.h>

#include "tests/storage/accounts.h"

namespace sasld {
namespace {

TEST(CloneAccount, CopiesEveryField) {
  Account account = MakeAccount("ann", 2);
  account.epoch = 7;
  ExpectAccount(CloneAccount(account), account, 7);
  ExpectAccount(CloneAccount(MakeBareAccount("bare")), MakeBareAccount("bare"), 0);
}

TEST(CloneAccount, HasSecretsOfItsOwn) {
  Account account = MakeAccount("ann");
  const Account clone = CloneAccount(account);
  Secret& stored_key = account.credential.scram->keys.at(Hash::kSha256).stored_key;
  stored_key.Bytes()[0] ^= 1;
  EXPECT_FALSE(EqualsConstantTime(
      clone.credential.scram->keys.at(Hash::kSha256).stored_key.Reveal(), stored_key.Reveal()));
}

}  // namespace
}  // namespace sasld
