// Users of other systems: how they are taken in, and that they log in and are then like any other.
#include "server/auth/user_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/auth/client.h"
#include "tests/storage/accounts.h"

namespace sasld {
namespace {

using testing::HasSubstr;
using Outcome = ImportResult::Outcome;

constexpr char kSsha[] = "{SSHA}U47yIGU5wM7g8CS+MrVd9QRQ5wMF9HJV";  // doveadm pw, of "pencil"

class UserImportTest : public testing::Test {
 protected:
  static ImportedUser User(std::string_view name, const std::vector<std::string>& passwords) {
    ImportedUser user{MakeBareAccount(name), {}, {}};
    user.account.created = user.account.password_changed = absl::Time();
    for (const std::string& notation : passwords) user.passwords.emplace_back(notation);
    return user;
  }

  std::vector<ImportResult> Import(std::vector<ImportedUser> users,
                                   OnExisting on_existing = OnExisting::kRefuse,
                                   bool dry_run = false) {
    auto results = import.Import(users, on_existing, dry_run, kNow);
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? *std::move(results) : std::vector<ImportResult>();
  }
  ImportResult ImportOne(ImportedUser user, OnExisting on_existing = OnExisting::kRefuse,
                         bool dry_run = false) {
    std::vector<ImportedUser> one;
    one.push_back(std::move(user));
    return Import(std::move(one), on_existing, dry_run).at(0);
  }
  bool LogsIn(std::string_view mechanism, std::string_view name, std::string_view password) {
    return Play(parts, {mechanism, std::string(name), std::string(password)}).granted() != nullptr;
  }

  Parts parts{{2, 64, 64}, EveryMechanism()};
  UserImport import{parts.store, parts.deriver, parts.lane};
};

TEST_F(UserImportTest, AForeignHashLetsInAndIsReplacedAtTheFirstLogin) {
  EXPECT_EQ(ImportOne(User("ann", {kSsha})).outcome, Outcome::kAdded);
  EXPECT_EQ(parts.store.Find(Name("ann"))->created, kNow);
  EXPECT_FALSE(LogsIn("SCRAM-SHA-256", "ann", "pencil")) << "nobody knows the password yet";
  EXPECT_FALSE(LogsIn("PLAIN", "ann", "Pencil"));
  EXPECT_EQ(parts.store.Find(Name("ann"))->credential.imported, kSsha);
  EXPECT_TRUE(LogsIn("PLAIN", "ann", "pencil"));
  const Account ann = parts.store.Find(Name("ann")).value();
  EXPECT_TRUE(ann.credential.imported.empty());
  EXPECT_TRUE(PasswordHasher::IsHash(ann.credential.argon2id));
  for (const char* mechanism : {"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"}) {
    EXPECT_TRUE(LogsIn(mechanism, "ann", "pencil")) << mechanism;
    EXPECT_FALSE(LogsIn(mechanism, "ann", "Pencil")) << mechanism;
  }
}

TEST_F(UserImportTest, PlaintextIsHashedAtOnceAndNeverKept) {
  std::vector<ImportedUser> users;
  for (int i = 0; i < 9; ++i) users.push_back(User("user" + std::to_string(i), {"{PLAIN}pencil"}));
  for (const ImportResult& result : Import(std::move(users))) {
    EXPECT_EQ(result.outcome, Outcome::kAdded) << result.text;
  }
  EXPECT_TRUE(LogsIn("SCRAM-SHA-256", "user0", "pencil"));
  EXPECT_TRUE(LogsIn("PLAIN", "user8", "pencil"));
  EXPECT_TRUE(parts.store.Find(Name("user8"))->credential.imported.empty());
}

TEST_F(UserImportTest, VerifiersOfMechanismsServeTheirMechanismAndPlain) {
  const Account whole = parts.MustCreate("whole", "pencil");
  ImportedUser scram = User("scram", {});
  scram.account.credential.scram = whole.credential.scram->Clone();
  ImportedUser cram = User("cram", {});
  cram.account.credential.cram_md5 = whole.credential.cram_md5.Clone();
  ImportedUser digest = User("whole2", {});
  digest.account.name = Name("digest");
  digest.account.credential.digest_md5 = DigestMd5Verifier{
      "example.org",
      parts.deriver.Derive(Name("digest"), Secret("pencil"))->digest_md5->ha1.Clone()};
  std::vector<ImportedUser> users;
  users.push_back(std::move(scram));
  users.push_back(std::move(cram));
  users.push_back(std::move(digest));
  for (const ImportResult& result : Import(std::move(users))) {
    EXPECT_EQ(result.outcome, Outcome::kAdded) << result.text;
  }
  EXPECT_TRUE(LogsIn("SCRAM-SHA-512", "scram", "pencil"));
  EXPECT_TRUE(LogsIn("CRAM-MD5", "cram", "pencil"));
  EXPECT_TRUE(LogsIn("DIGEST-MD5", "digest", "pencil"));
  for (const char* name : {"scram", "cram", "digest"}) {
    EXPECT_FALSE(LogsIn("PLAIN", name, "wrong")) << name;
    EXPECT_TRUE(LogsIn("PLAIN", name, "pencil")) << name;
    EXPECT_FALSE(parts.store.Find(Name(name))->credential.argon2id.empty()) << name;
    EXPECT_TRUE(LogsIn("SCRAM-SHA-256", name, "pencil")) << name;
  }
}

TEST_F(UserImportTest, MistakesAreToldAndTheOthersAreTakenIn) {
  ImportedUser network = User("network", {kSsha});
  network.account.access.networks = {"192.0.2.0/33"};
  ImportedUser mechanism = User("mechanism", {kSsha});
  mechanism.account.access.mechanisms = {"SCRAM-ROT13"};
  ImportedUser count = User("count", {});
  count.account.credential.scram = {"salt", 1, {}};
  ImportedUser key = User("key", {});
  key.account.credential.cram_md5 = Secret("short");
  std::vector<ImportedUser> users;
  users.push_back(User("good", {kSsha}));
  users.push_back(User("bad", {"{NONSENSE}x"}));
  users.push_back(User("twice", {"{PLAIN}a", "{PLAIN}b"}));
  users.push_back(User("good", {kSsha}));
  users.push_back(std::move(network));
  users.push_back(std::move(mechanism));
  users.push_back(std::move(count));
  users.push_back(std::move(key));
  const std::vector<ImportResult> results = Import(std::move(users));
  EXPECT_EQ(results[0].outcome, Outcome::kAdded);
  const char* const texts[] = {"",         "password: ", "told twice",       "was there before",
                               "networks", "mechanisms", "scram_iterations", "verifiers"};
  for (size_t i = 1; i < results.size(); ++i) {
    EXPECT_EQ(results[i].outcome, Outcome::kRefused) << i;
    EXPECT_THAT(results[i].text, HasSubstr(texts[i])) << i;
  }
  EXPECT_EQ(parts.store.Count().value(), 1u);
}

TEST_F(UserImportTest, WhoIsThereIsRefusedSkippedOrReplaced) {
  parts.MustCreate("ann", "old");
  EXPECT_THAT(ImportOne(User("ann", {kSsha})).text, HasSubstr("there is a user"));
  EXPECT_EQ(ImportOne(User("ann", {kSsha}), OnExisting::kSkip).outcome, Outcome::kSkipped);
  EXPECT_TRUE(LogsIn("PLAIN", "ann", "old"));
  EXPECT_EQ(ImportOne(User("ann", {kSsha}), OnExisting::kReplace).outcome, Outcome::kReplaced);
  EXPECT_FALSE(LogsIn("PLAIN", "ann", "old"));
  EXPECT_TRUE(LogsIn("PLAIN", "ann", "pencil"));
}

TEST_F(UserImportTest, ADryRunTellsTheSameAndWritesNothing) {
  parts.MustCreate("ann", "old");
  ImportedUser alias = User("ben", {kSsha});
  alias.account.aliases = {Name("ann")};
  EXPECT_EQ(ImportOne(std::move(alias), OnExisting::kRefuse, true).outcome, Outcome::kRefused);
  EXPECT_EQ(ImportOne(User("new", {kSsha}), OnExisting::kRefuse, true).outcome, Outcome::kAdded);
  EXPECT_EQ(ImportOne(User("ann", {kSsha}), OnExisting::kRefuse, true).outcome, Outcome::kRefused);
  EXPECT_EQ(ImportOne(User("ann", {kSsha}), OnExisting::kSkip, true).outcome, Outcome::kSkipped);
  EXPECT_EQ(ImportOne(User("ann", {kSsha}), OnExisting::kReplace, true).outcome,
            Outcome::kReplaced);
  EXPECT_EQ(ImportOne(User("bad", {"{NONSENSE}"}), OnExisting::kSkip, true).outcome,
            Outcome::kRefused);
  EXPECT_EQ(parts.store.Count().value(), 1u);
  EXPECT_TRUE(LogsIn("PLAIN", "ann", "old"));
}

TEST_F(UserImportTest, AStoreThatTakesNoWritesTakesNone) {
  parts.store.FailWrites(true);
  std::vector<ImportedUser> users;
  users.push_back(User("ann", {kSsha}));
  EXPECT_TRUE(absl::IsUnavailable(import.Import(users, OnExisting::kRefuse, false, kNow).status()));
}

// Else each user's first login after it would cost a hash more.
TEST_F(UserImportTest, AnExportOfThisServerIsUpToDate) {
  const Account ann = parts.MustCreate("ann", "pencil");
  ImportedUser again{CloneAccount(ann), {}, {}};
  again.account.credential.pepper = parts.hasher.PepperOf(ann.credential).value();
  again.account.credential.pepper_id = 0;
  EXPECT_EQ(ImportOne(std::move(again), OnExisting::kReplace).outcome, Outcome::kReplaced);
  EXPECT_TRUE(LogsIn("PLAIN", "ann", "pencil"));
  EXPECT_EQ(parts.store.Find(Name("ann"))->credential.argon2id, ann.credential.argon2id);
  EXPECT_TRUE(parts.store.Find(Name("ann"))->credential.pepper.empty());
}

// As "user set" takes them: mail servers call one service by several names.
TEST_F(UserImportTest, SendersAndAttributesAreChecked) {
  ImportedUser user = User("ann", {kSsha});
  user.account.senders = {"Sales@Example.org"};
  user.account.attributes = {{"userdb_quota_rule", "*:storage=1G"}};
  EXPECT_EQ(ImportOne(std::move(user)).outcome, Outcome::kAdded);
  EXPECT_EQ(parts.store.Find(Name("ann"))->senders, std::vector<std::string>{"sales@example.org"});
  user = User("ben", {kSsha});
  user.account.senders = {"sales"};
  EXPECT_THAT(ImportOne(std::move(user)).text, HasSubstr("senders: \"sales\""));
  user = User("ben", {kSsha});
  user.account.attributes = {{"home", "a\nb"}};
  EXPECT_THAT(ImportOne(std::move(user)).text, HasSubstr("control character"));
}

TEST_F(UserImportTest, RulesAreStoredAsTheyAreAsked) {
  ImportedUser user = User("ann", {kSsha});
  user.account.access = {{"Submission"}, {"::ffff:192.0.2.7"}, {"plain"}};
  EXPECT_EQ(ImportOne(std::move(user)).outcome, Outcome::kAdded);
  const Access expected{{"smtp"}, {"192.0.2.7"}, {"PLAIN"}};
  EXPECT_EQ(parts.store.Find(Name("ann"))->access, expected);
}

}  // namespace
}  // namespace sasld
