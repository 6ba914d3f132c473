#include "server/rpc/user_records.h"

#include <gtest/gtest.h>

#include "tests/server/auth/parts.h"
#include "tests/storage/accounts.h"

namespace sasld {
namespace {

TEST(UserRecords, LoseNothing) {
  const PasswordHasher hasher(kCheapCost, Secret("pepper"));
  for (int variant = 0; variant < 6; ++variant) {
    const Account account = MakeAccount("ann@example.org", variant);
    v1::UserRecord record;
    FillRecord(account, hasher, record);
    const absl::StatusOr<ImportedUser> read = ReadRecord(record);
    ASSERT_TRUE(read.ok()) << read.status();
    // The secret input goes along, and so needs no id.
    Account expected = CloneAccount(account);
    expected.credential.pepper_id = 0;
    ExpectAccount(read->account, expected, 0);
  }
}

TEST(UserRecords, TakeTheSecretInputAlong) {
  const PasswordHasher hasher(kCheapCost, Secret("pepper"));
  Account account = MakeBareAccount("ann");
  Argon2idVerifier verifier = hasher.Hash(Secret("secret"), "0123456789abcdef").value();
  account.credential.argon2id = std::move(verifier.phc);
  account.credential.pepper_id = verifier.pepper_id;
  v1::UserRecord record;
  FillRecord(account, hasher, record);
  const absl::StatusOr<ImportedUser> read = ReadRecord(record);
  // Elsewhere, under another key.
  const PasswordHasher elsewhere(kCheapCost, Secret("another"));
  EXPECT_TRUE(elsewhere.Verify(read->account.credential, Secret("secret")).value());
  EXPECT_FALSE(elsewhere.IsUpToDate(read->account.credential)) << "the first login renews it";
}

TEST(UserRecords, RefuseWhatMakesNoSense) {
  const auto refused = [](auto change) {
    v1::UserRecord record;
    record.set_name("ann");
    EXPECT_TRUE(ReadRecord(record).ok());
    change(record);
    EXPECT_TRUE(absl::IsInvalidArgument(ReadRecord(record).status())) << record.DebugString();
  };
  refused([](v1::UserRecord& record) { record.clear_name(); });
  refused([](v1::UserRecord& record) { record.add_aliases(std::string(300, 'x')); });
  refused([](v1::UserRecord& record) {
    record.mutable_verifiers()->set_argon2id("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA");
  });
  refused([](v1::UserRecord& record) {
    record.mutable_verifiers()->set_scram_salt("salt");
    record.mutable_verifiers()->add_scram_keys()->set_hash("ROT-13");
  });
}

}  // namespace
}  // namespace sasld
