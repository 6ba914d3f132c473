// What an account lacks is derived when its password is at hand: at the next PLAIN or LOGIN.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "tests/server/auth/client.h"

namespace sasld {
namespace {

class Completion : public testing::Test {
 protected:
  Completion() { parts.MustCreate("ann", "secret"); }

  bool LogsIn(std::string_view mechanism, std::string_view password = "secret") {
    return Play(parts, {mechanism, "ann", std::string(password)}).granted() != nullptr;
  }
  void SwitchOn(const std::vector<std::string>& mechanisms, uint32_t iterations = 4096) {
    parts.deriver.Adopt(DerivationPlan::For(mechanisms, iterations, "example.org"));
  }
  Account Ann() { return parts.accounts.Get("ann").value(); }

  Parts parts{{1, 64, 64}, EveryMechanism()};
};

TEST_F(Completion, AMechanismThatWasSwitchedOnWorksAfterTheNextPlain) {
  SwitchOn({"SCRAM-SHA-256"});
  ASSERT_TRUE(parts.accounts.SetPassword("ann", "secret", kNow).ok());
  SwitchOn({"SCRAM-SHA-256", "SCRAM-SHA-512", "CRAM-MD5", "DIGEST-MD5"});
  for (const char* mechanism : {"SCRAM-SHA-512", "CRAM-MD5", "DIGEST-MD5"}) {
    EXPECT_FALSE(LogsIn(mechanism)) << mechanism;
  }
  const Account before = Ann();
  EXPECT_TRUE(LogsIn("PLAIN"));
  for (const char* mechanism : {"SCRAM-SHA-256", "SCRAM-SHA-512", "CRAM-MD5", "DIGEST-MD5"}) {
    EXPECT_TRUE(LogsIn(mechanism)) << mechanism;
  }
  const Account after = Ann();
  EXPECT_EQ(after.credential.scram->salt, before.credential.scram->salt);
  EXPECT_EQ(after.credential.argon2id, before.credential.argon2id) << "it was up to date";
  EXPECT_EQ(after.password_changed, before.password_changed);
}

TEST_F(Completion, LoginWillDoToo) {
  SwitchOn({});
  ASSERT_TRUE(parts.accounts.SetPassword("ann", "secret", kNow).ok());
  SwitchOn({"SCRAM-SHA-1"});
  EXPECT_TRUE(LogsIn("LOGIN"));
  EXPECT_TRUE(LogsIn("SCRAM-SHA-1"));
}

TEST_F(Completion, NothingIsWrittenWhereNothingIsMissing) {
  const Epoch before = Ann().epoch;
  EXPECT_TRUE(LogsIn("PLAIN"));
  EXPECT_EQ(Ann().epoch, before);
}

TEST_F(Completion, AWrongPasswordCompletesNothing) {
  SwitchOn({"SCRAM-SHA3-512"});
  const Epoch before = Ann().epoch;
  EXPECT_FALSE(LogsIn("PLAIN", "wrong"));
  EXPECT_EQ(Ann().epoch, before);
}

TEST_F(Completion, EquivalentsGoWithTheirMechanism) {
  ASSERT_FALSE(Ann().credential.cram_md5.empty());
  SwitchOn({"SCRAM-SHA-256", "DIGEST-MD5"});
  EXPECT_TRUE(LogsIn("PLAIN"));
  EXPECT_TRUE(Ann().credential.cram_md5.empty());
  EXPECT_TRUE(Ann().credential.digest_md5.has_value());
}

TEST_F(Completion, AChangedRealmAndCountAreTakenOver) {
  SwitchOn({"SCRAM-SHA-256", "DIGEST-MD5"});
  ASSERT_TRUE(parts.accounts.SetPassword("ann", "secret", kNow).ok());
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-256", "DIGEST-MD5"}, 5000, "example.net"));
  EXPECT_TRUE(LogsIn("PLAIN"));
  EXPECT_EQ(Ann().credential.digest_md5->realm, "example.net");
  EXPECT_EQ(Ann().credential.scram->iterations, 5000u);
  EXPECT_TRUE(LogsIn("SCRAM-SHA-256"));
}

// Their keys were made with the salt and the count that there are.
TEST_F(Completion, SaltAndCountStayWhereAppPasswordsHangOnThem) {
  Account ann = Ann();
  ann.app_passwords.push_back({"phone", "", Secret("looked up by this"), {}, {}, kNow});
  ASSERT_TRUE(parts.store.Update(ann).ok());
  SwitchOn({"SCRAM-SHA-256"}, 5000);
  EXPECT_TRUE(LogsIn("PLAIN"));
  EXPECT_EQ(Ann().credential.scram->salt, ann.credential.scram->salt);
  EXPECT_EQ(Ann().credential.scram->iterations, ann.credential.scram->iterations);
}

TEST_F(Completion, AHashOfAnOldKeyOrCostIsMadeAnew) {
  std::map<uint32_t, Secret> peppers;
  peppers.emplace(1, Secret("pepper"));
  peppers.emplace(2, Secret("another"));
  parts.hasher.Adopt(std::move(peppers));
  EXPECT_TRUE(LogsIn("PLAIN"));
  EXPECT_EQ(Ann().credential.pepper_id, 2u);
  std::map<uint32_t, Secret> left;
  left.emplace(2, Secret("another"));
  parts.hasher.Adopt(std::move(left));
  EXPECT_TRUE(LogsIn("PLAIN"));
}

TEST_F(Completion, AStoreThatTakesNoWritesHoldsUpNobody) {
  SwitchOn({"SCRAM-SHA3-512"});
  const Epoch before = Ann().epoch;
  parts.store.FailWrites(true);
  EXPECT_TRUE(LogsIn("PLAIN"));
  EXPECT_EQ(Ann().epoch, before);
  parts.store.FailWrites(false);
  EXPECT_TRUE(LogsIn("PLAIN"));
  EXPECT_GT(Ann().epoch, before);
}

// A mail client opens several connections at once; whichever completes the account must not make
// the others' password a wrong one.
TEST(ParallelCompletion, NoLoginBesideItFails) {
  Parts parts({4, 64, 64}, EveryMechanism());
  for (int round = 0; round < 20; ++round) {
    const std::string name = "user" + std::to_string(round);
    parts.deriver.Adopt({});
    parts.MustCreate(name, "secret");
    parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-256"}, 4096, ""));
    std::atomic<int> granted = 0;
    std::array<std::thread, 8> clients;
    for (std::thread& client : clients) {
      client = std::thread([&] {
        if (Play(parts, {"PLAIN", name, "secret"}).granted() != nullptr) ++granted;
      });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(granted, 8);
    EXPECT_TRUE(parts.accounts.Get(name)->credential.scram.has_value());
  }
}

}  // namespace
}  // namespace sasld
