// Fills a store with users for the benchmark, and writes the same users as a Dovecot passwd-file.
//
//   bench_make_users STORE_URL KEY_FILE PASSWD_FILE COUNT
//
// Users are user0@example.test … with passwords pass-0 …, as authload has them. They get
// SCRAM-SHA-256 verifiers only: an Argon2id hash takes 15 ms each, and nothing here measures PLAIN.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/common/status_macros.h"
#include "server/auth/entropy.h"
#include "server/auth/key_file.h"
#include "server/sasl/base64.h"
#include "server/sasl/scram_keys.h"
#include "storage/open.h"
#include "storage/store.h"

namespace sasld {
namespace {

// "{SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey", Dovecot's way to keep them.
std::string DovecotVerifier(const ScramVerifiers& scram) {
  const ScramKeyPair& keys = scram.keys.at(Hash::kSha256);
  return "{SCRAM-SHA-256}" + std::to_string(scram.iterations) + "," + EncodeBase64(scram.salt) +
         "," + EncodeBase64(keys.stored_key.Reveal()) + "," +
         EncodeBase64(keys.server_key.Reveal());
}

absl::StatusOr<Account> MakeAccount(uint64_t number, Entropy& entropy) {
  const std::string text = std::to_string(number);
  ASSIGN_OR_RETURN(Username name, Username::Prepare("user" + text + "@example.test"));
  Credential credential;
  ScramVerifiers& scram = credential.scram.emplace();
  scram.salt = entropy.Bytes(kScramSaltBytes);
  scram.keys.emplace(Hash::kSha256, DeriveScramKeyPair(Hash::kSha256, Secret("pass-" + text),
                                                       scram.salt, scram.iterations));
  const absl::Time created = absl::FromUnixSeconds(1'700'000'000);
  return Account{std::move(name), true, 0, created, created, std::move(credential)};
}

absl::Status MakeUsers(const char* store_url, const char* key_file, const char* passwd_file,
                       uint64_t count) {
  Entropy entropy;
  RETURN_IF_ERROR(CreateKeyFile(key_file, entropy));
  ASSIGN_OR_RETURN(const ClusterKeys keys, LoadKeyFile(key_file));
  RecordKeys record_keys;
  record_keys.Add(keys.current().id, keys.current().record.Clone());
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store,
                   OpenStore(store_url, StorePresence::kCreateIfMissing, record_keys));
  std::ofstream passwd(passwd_file, std::ios::trunc);
  for (uint64_t number = 0; number < count; ++number) {
    ASSIGN_OR_RETURN(const Account account, MakeAccount(number, entropy));
    RETURN_IF_ERROR(store->Create(account).status());
    passwd << account.name.str() << ':' << DovecotVerifier(*account.credential.scram) << '\n';
  }
  passwd.close();
  return passwd ? absl::OkStatus() : absl::UnavailableError("the passwd-file cannot be written");
}

}  // namespace
}  // namespace sasld

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: bench_make_users STORE_URL KEY_FILE PASSWD_FILE COUNT\n";
    return 2;
  }
  const absl::Status status = sasld::MakeUsers(argv[1], argv[2], argv[3], std::stoull(argv[4]));
  if (!status.ok()) std::cerr << "bench_make_users: " << status.message() << '\n';
  return status.ok() ? 0 : 1;
}
