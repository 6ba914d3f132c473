#include "tests/storage/accounts.h"

#include <gtest/gtest.h>

#include <string>

namespace sasld {

Username Name(std::string_view name) { return Username::FromPrepared(std::string(name)); }

Account MakeBareAccount(std::string_view name) {
  return Account{Name(name), true, 0, absl::UnixEpoch(), absl::UnixEpoch(), {}};
}

Account MakeAccount(std::string_view name, int variant) {
  Account account = MakeBareAccount(name);
  account.enabled = variant % 2 == 1;
  account.created = absl::FromUnixSeconds(1'700'000'000 + variant);
  account.password_changed = absl::FromUnixSeconds(1'800'000'000 + variant);
  account.credential.argon2id = "$argon2id$v=19$m=8,t=1,p=1$" + std::to_string(variant) + "$hash";
  // Zero bytes and bytes that are not UTF-8 are as good as any.
  const auto byte = static_cast<char>(variant);
  ScramKeys keys;
  keys.salt = std::string("\0\xff", 2) + std::string(14, byte);
  keys.iterations = 4096 + static_cast<uint32_t>(variant);
  keys.stored_key = Secret(std::string(31, byte) + '\0');
  keys.server_key = Secret('\0' + std::string(31, static_cast<char>(~byte)));
  account.credential.scram_sha_256 = std::move(keys);
  return account;
}

void ExpectAccount(const Account& found, const Account& expected, Epoch epoch) {
  EXPECT_EQ(found.name.str(), expected.name.str());
  EXPECT_EQ(found.enabled, expected.enabled);
  EXPECT_EQ(found.epoch, epoch);
  EXPECT_EQ(found.created, expected.created);
  EXPECT_EQ(found.password_changed, expected.password_changed);
  EXPECT_EQ(found.credential.argon2id, expected.credential.argon2id);
  ASSERT_EQ(found.credential.scram_sha_256.has_value(),
            expected.credential.scram_sha_256.has_value());
  if (!expected.credential.scram_sha_256) return;
  const ScramKeys& keys = *found.credential.scram_sha_256;
  const ScramKeys& expected_keys = *expected.credential.scram_sha_256;
  EXPECT_EQ(keys.salt, expected_keys.salt);
  EXPECT_EQ(keys.iterations, expected_keys.iterations);
  EXPECT_TRUE(EqualsConstantTime(keys.stored_key.Reveal(), expected_keys.stored_key.Reveal()));
  EXPECT_TRUE(EqualsConstantTime(keys.server_key.Reveal(), expected_keys.server_key.Reveal()));
  EXPECT_EQ(keys.epoch, epoch);
}

}  // namespace sasld
