#include "tests/storage/accounts.h"

#include <gtest/gtest.h>

#include <string>

namespace sasld {

Username Name(std::string_view name) { return Username::FromPrepared(std::string(name)); }

const RecordKeys& SampleRecordKeys() {
  static const RecordKeys* const keys = [] {
    auto* made = new RecordKeys;
    made->Add(1, Secret(std::string(32, 'k')));
    return made;
  }();
  return *keys;
}

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
  ScramVerifiers& scram = account.credential.scram.emplace();
  scram.salt = std::string("\0\xff", 2) + std::string(14, byte);
  scram.iterations = 4096 + static_cast<uint32_t>(variant);
  for (const Hash hash : kAllHashes) {
    const size_t bytes = HashBytes(hash) - 1;
    scram.keys.emplace(hash,
                       ScramKeyPair{Secret(std::string(bytes, byte) + '\0'),
                                    Secret('\0' + std::string(bytes, static_cast<char>(~byte)))});
  }
  account.credential.cram_md5 = Secret(std::string(31, byte) + '\0');
  account.credential.digest_md5 =
      DigestMd5Verifier{"example.org", Secret('\0' + std::string(15, byte))};
  account.credential.pepper_id = 1 + static_cast<uint32_t>(variant);
  account.credential.pepper = Secret(std::string("\0\xff", 2) + std::string(30, byte));
  account.credential.imported = "$6$" + std::to_string(variant) + "$hash";
  const std::string number = std::to_string(variant);
  AppPassword& phone = account.app_passwords.emplace_back();
  phone.id = "phone" + number;
  phone.label = "the phone\xc3\xbc" + number;
  phone.lookup = Secret(std::string(32, byte));
  for (const auto& [hash, pair] : scram.keys) phone.scram.emplace(hash, pair.Clone());
  phone.access = {{"smtp", "imap" + number}, {"192.0.2.0/24"}, {"PLAIN"}};
  phone.created = account.created;
  phone.expires = account.password_changed;
  AppPassword& bare = account.app_passwords.emplace_back();
  bare.id = "bare";
  bare.lookup = Secret(std::string(32, byte));
  bare.created = account.created;
  account.app_password_key = Secret(std::string("\0", 1) + std::string(31, byte));
  account.require_app_password = variant % 2 == 0;
  account.send_only = variant % 3 == 0;
  account.must_change_password = variant % 5 == 0;
  account.expires = account.created + absl::Hours(24);
  account.access = {{"pop3", "sieve" + number}, {"2001:db8::/32", "192.0.2.7"}, {"SCRAM-SHA-256"}};
  for (const char* alias : {"alias-a-", "alias-b-"}) {
    account.aliases.push_back(Name(alias + number + "-of-" + std::string(name)));
  }
  account.senders = {"@example.org", number + "@example.net"};
  account.attributes = {{"home", "/srv/" + number}, {"quota", ""}};
  return account;
}

Domain MakeDomain(std::string_view name, int variant) {
  const std::string number = std::to_string(variant);
  return {std::string(name),
          0,
          variant % 2 == 0,
          variant % 2 == 1,
          variant % 3 == 0,
          {{"imap" + number}, {"198.51.100.0/24", "2001:db8::" + number}, {"PLAIN"}},
          {{"home", "/srv/%d/%n/" + number}, {"quota", ""}}};
}

namespace {

bool Same(const Secret& a, const Secret& b) { return EqualsConstantTime(a.Reveal(), b.Reveal()); }

void ExpectScram(const ScramVerifiers& found, const ScramVerifiers& expected) {
  EXPECT_EQ(found.salt, expected.salt);
  EXPECT_EQ(found.iterations, expected.iterations);
  ASSERT_EQ(found.keys.size(), expected.keys.size());
  for (const auto& [hash, pair] : expected.keys) {
    ASSERT_TRUE(found.keys.contains(hash)) << NameOf(hash);
    EXPECT_TRUE(Same(found.keys.at(hash).stored_key, pair.stored_key)) << NameOf(hash);
    EXPECT_TRUE(Same(found.keys.at(hash).server_key, pair.server_key)) << NameOf(hash);
  }
}

void ExpectAppPasswords(const Account& found, const Account& expected) {
  EXPECT_TRUE(Same(found.app_password_key, expected.app_password_key));
  ASSERT_EQ(found.app_passwords.size(), expected.app_passwords.size());
  for (size_t i = 0; i < expected.app_passwords.size(); ++i) {
    const AppPassword& one = found.app_passwords[i];
    const AppPassword& other = expected.app_passwords[i];
    EXPECT_EQ(one.id, other.id);
    EXPECT_EQ(one.label, other.label);
    EXPECT_TRUE(Same(one.lookup, other.lookup));
    ExpectScram({"", 1, std::move(one.Clone().scram)}, {"", 1, std::move(other.Clone().scram)});
    EXPECT_EQ(one.access, other.access);
    EXPECT_EQ(one.created, other.created);
    EXPECT_EQ(one.expires, other.expires);
  }
}

}  // namespace

void ExpectAccount(const Account& found, const Account& expected, Epoch epoch) {
  EXPECT_EQ(found.name.str(), expected.name.str());
  EXPECT_EQ(found.enabled, expected.enabled);
  EXPECT_EQ(found.epoch, epoch);
  EXPECT_EQ(found.created, expected.created);
  EXPECT_EQ(found.password_changed, expected.password_changed);
  EXPECT_EQ(found.credential.argon2id, expected.credential.argon2id);
  EXPECT_TRUE(Same(found.credential.cram_md5, expected.credential.cram_md5));
  ASSERT_EQ(found.credential.digest_md5.has_value(), expected.credential.digest_md5.has_value());
  if (expected.credential.digest_md5) {
    EXPECT_EQ(found.credential.digest_md5->realm, expected.credential.digest_md5->realm);
    EXPECT_TRUE(Same(found.credential.digest_md5->ha1, expected.credential.digest_md5->ha1));
  }
  ASSERT_EQ(found.credential.scram.has_value(), expected.credential.scram.has_value());
  if (expected.credential.scram) ExpectScram(*found.credential.scram, *expected.credential.scram);
  EXPECT_EQ(found.credential.pepper_id, expected.credential.pepper_id);
  EXPECT_TRUE(Same(found.credential.pepper, expected.credential.pepper));
  EXPECT_EQ(found.credential.imported, expected.credential.imported);
  ExpectAppPasswords(found, expected);
  EXPECT_EQ(found.require_app_password, expected.require_app_password);
  EXPECT_EQ(found.send_only, expected.send_only);
  EXPECT_EQ(found.must_change_password, expected.must_change_password);
  EXPECT_EQ(found.expires, expected.expires);
  EXPECT_EQ(found.access, expected.access);
  EXPECT_EQ(found.aliases, expected.aliases);
  EXPECT_EQ(found.senders, expected.senders);
  EXPECT_EQ(found.attributes, expected.attributes);
}

}  // namespace sasld
