#include "server/auth/app_passwords.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "server/sasl/saslprep.h"
#include "tests/server/auth/busy_thread.h"
#include "tests/server/auth/client.h"

namespace sasld {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Shown(const AddedAppPassword& added) {
  std::string text;
  text.append(added.text.Reveal());
  return text;
}

std::string AsShown(std::string_view typed) {
  const std::optional<Secret> shown = AppPasswordAsShown(typed);
  std::string text;
  if (shown) text.append(shown->Reveal());
  return text;
}

TEST(AppPasswords, AreFiveGroupsOfSignsThatLookAlikeNoOther) {
  Entropy entropy;
  std::set<std::string> seen;
  std::set<char> signs;
  for (int i = 0; i < 200; ++i) {
    const Secret text = GenerateAppPassword(entropy);
    ASSERT_EQ(text.size(), 29u);
    std::string copy;
    copy.append(text.Reveal());
    for (size_t at = 0; at < copy.size(); ++at) {
      if (at % 6 == 5) {
        EXPECT_EQ(copy[at], '-');
      } else {
        signs.insert(copy[at]);
      }
    }
    EXPECT_TRUE(seen.insert(copy).second);
    EXPECT_EQ(AsShown(copy), copy);
    EXPECT_TRUE(EqualsConstantTime(PreparePassword(copy)->Reveal(), copy)) << "SASLprep";
  }
  EXPECT_EQ(signs.size(), 32u);
  for (const char sign : {'0', 'o', '1', 'l'}) EXPECT_FALSE(signs.contains(sign)) << sign;
}

TEST(AppPasswords, AreKnownHoweverTheyAreTyped) {
  const std::string shown = "abcde-fghij-kmnpq-rstuv-wxyz2";
  for (const char* typed : {"abcde-fghij-kmnpq-rstuv-wxyz2", "abcdefghijkmnpqrstuvwxyz2",
                            "ABCDE-FGHIJ-KMNPQ-RSTUV-WXYZ2", "abcde fghij kmnpq rstuv wxyz2",
                            " Abcde-fghij kmnpqrstuv-wxyz2 ", "ab-cdefghijkmnpqrstuvwxyz2"}) {
    EXPECT_EQ(AsShown(typed), shown) << typed;
  }
  for (const char* other :
       {"", "secret", "abcde-fghij-kmnpq-rstuv-wxyz", "abcde-fghij-kmnpq-rstuv-wxyz22",
        "abcde-fghij-kmnpq-rstuv-wxyz0", "abcde_fghij_kmnpq_rstuv_wxyz2",
        "abcde-fghij-kmnpq-rstuv-wxy\xc3\xbc", "-----", "                             "}) {
    EXPECT_EQ(AppPasswordAsShown(other), std::nullopt) << other;
  }
}

class AppPasswordLogins : public testing::Test {
 protected:
  void SetUp() override { parts.MustCreate("alice", "secret"); }
  AddedAppPassword Add(const NewAppPassword& wanted = {"phone", {}}) {
    return parts.accounts.AddAppPassword("alice", wanted, kNow).value();
  }
  std::string LogIn(std::string_view mechanism, std::string password, std::string name = "alice") {
    const Dialogue dialogue = Play(parts, {mechanism, std::move(name), std::move(password)});
    return dialogue.granted() ? dialogue.granted()->authcid : "refused";
  }
  // The last line of the log.
  std::string Audit() const {
    std::string text = parts.log_text.str();
    text.pop_back();
    return text.substr(text.rfind('\n') + 1);
  }

  Parts parts{{1, 64, 64}, EveryMechanism()};
};

TEST_F(AppPasswordLogins, LetInWhereverThePasswordIsTypedOrProved) {
  const AddedAppPassword phone = Add();
  const AddedAppPassword laptop = Add({"laptop", {}});
  for (const RegisteredMechanism& mechanism : AllMechanisms()) {
    if (mechanism.verifier != Verifier::kPassword && mechanism.verifier != Verifier::kScram)
      continue;
    SCOPED_TRACE(mechanism.name);
    for (const AddedAppPassword* one : {&phone, &laptop}) {
      EXPECT_EQ(LogIn(mechanism.name, Shown(*one)), "alice");
      EXPECT_TRUE(Audit().ends_with(" credential=app:" + one->id)) << Audit();
    }
    EXPECT_EQ(LogIn(mechanism.name, "secret"), "alice");
    EXPECT_TRUE(Audit().ends_with(" credential=main")) << Audit();
    EXPECT_EQ(LogIn(mechanism.name, "abcde-fghij-kmnpq-rstuv-wxyz2"), "refused");
    EXPECT_THAT(Audit(), Not(HasSubstr("credential=")));
  }
  EXPECT_EQ(LogIn("CRAM-MD5", Shown(phone)), "refused");
  EXPECT_THAT(parts.log_text.str(), Not(HasSubstr(Shown(phone))));
}

TEST_F(AppPasswordLogins, NeedNoHashing) {
  std::string typed = Shown(Add());
  const BusyThread busy(parts.lane);
  EXPECT_EQ(LogIn("PLAIN", typed), "alice");
  std::erase(typed, '-');
  EXPECT_EQ(LogIn("LOGIN", typed), "alice");
}

TEST_F(AppPasswordLogins, AreNotRememberedByTheCache) {
  Parts cached({1, 64, 64}, Parts::DefaultPolicy(), {16, absl::Minutes(10)});
  cached.MustCreate("alice", "secret");
  const AddedAppPassword added = cached.accounts.AddAppPassword("alice", {"x", {}}, kNow).value();
  EXPECT_NE(Play(cached, {"PLAIN", "alice", Shown(added)}).granted(), nullptr);
  EXPECT_EQ(cached.cache.size(), 0u);
  EXPECT_NE(Play(cached, {"PLAIN", "alice", "secret"}).granted(), nullptr);
  EXPECT_EQ(cached.cache.size(), 1u);
}

TEST_F(AppPasswordLogins, ARevokedOneFailsAtTheNextAttempt) {
  const AddedAppPassword phone = Add();
  const AddedAppPassword laptop = Add({"laptop", {}});
  for (const char* mechanism : {"PLAIN", "SCRAM-SHA-256"}) {
    EXPECT_EQ(LogIn(mechanism, Shown(phone)), "alice");
  }
  ASSERT_TRUE(parts.accounts.RevokeAppPassword("alice", phone.id).ok());
  for (const char* mechanism : {"PLAIN", "SCRAM-SHA-256"}) {
    EXPECT_EQ(LogIn(mechanism, Shown(phone)), "refused");
    EXPECT_EQ(LogIn(mechanism, Shown(laptop)), "alice");
    EXPECT_EQ(LogIn(mechanism, "secret"), "alice");
  }
  EXPECT_TRUE(absl::IsNotFound(parts.accounts.RevokeAppPassword("alice", phone.id).status()));
}

TEST_F(AppPasswordLogins, OneRevokedBetweenTheStepsFailsTheExchange) {
  const AddedAppPassword phone = Add();
  Dialogue dialogue = PlayToTheLastStep(parts, {"SCRAM-SHA-256", "alice", Shown(phone)});
  ASSERT_TRUE(parts.accounts.RevokeAppPassword("alice", phone.id).ok());
  dialogue.end = parts.Step(dialogue.last);
  EXPECT_NE(dialogue.refused(), nullptr);
  EXPECT_THAT(Audit(), HasSubstr("reason=credential-changed"));
}

TEST_F(AppPasswordLogins, AChangeThatIsNotThePasswordsFailsNoExchange) {
  Add();
  Dialogue dialogue = PlayToTheLastStep(parts, {"SCRAM-SHA-256", "alice", "secret"});
  Add({"laptop", {}});
  dialogue.end = parts.Step(dialogue.last);
  EXPECT_NE(dialogue.granted(), nullptr);
}

TEST_F(AppPasswordLogins, SurviveAChangeOfThePassword) {
  const AddedAppPassword phone = Add();
  const std::string salt = phone.account.credential.scram->salt;
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-256"}, 8192, ""));
  const Account changed = parts.accounts.SetPassword("alice", "new", kNow).value();
  EXPECT_EQ(changed.credential.scram->salt, salt);
  EXPECT_EQ(changed.credential.scram->iterations, 4096u);
  for (const char* mechanism : {"PLAIN", "SCRAM-SHA-256"}) {
    EXPECT_EQ(LogIn(mechanism, Shown(phone)), "alice");
    EXPECT_EQ(LogIn(mechanism, "new"), "alice");
    EXPECT_EQ(LogIn(mechanism, "secret"), "refused");
  }
  // Without app passwords nothing hangs on the old salt.
  ASSERT_TRUE(parts.accounts.RevokeAppPassword("alice", phone.id).ok());
  const Account again = parts.accounts.SetPassword("alice", "newer", kNow).value();
  EXPECT_NE(again.credential.scram->salt, salt);
  EXPECT_EQ(again.credential.scram->iterations, 8192u);
}

TEST_F(AppPasswordLogins, SaltSurvivesWhileScramIsOff) {
  const AddedAppPassword phone = Add();
  parts.deriver.Adopt({});
  ASSERT_TRUE(parts.accounts.SetPassword("alice", "new", kNow).ok());
  EXPECT_EQ(LogIn("SCRAM-SHA-256", Shown(phone)), "alice");
  EXPECT_EQ(LogIn("SCRAM-SHA-256", "new"), "refused");
}

TEST_F(AppPasswordLogins, OfAnAccountWithoutScramGetASalt) {
  parts.deriver.Adopt({});
  parts.MustCreate("bob", "secret");
  const auto add = [this] { return parts.accounts.AddAppPassword("bob", {"x", {}}, kNow).value(); };
  const AddedAppPassword without = add();
  EXPECT_FALSE(without.account.credential.scram.has_value());
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-256"}, 4096, ""));
  const AddedAppPassword with = add();
  EXPECT_EQ(LogIn("SCRAM-SHA-256", Shown(with), "bob"), "bob");
  EXPECT_EQ(LogIn("SCRAM-SHA-256", Shown(without), "bob"), "refused");
  EXPECT_EQ(LogIn("PLAIN", Shown(without), "bob"), "bob");
  ASSERT_TRUE(parts.accounts.SetPassword("bob", "new", kNow).ok());
  EXPECT_EQ(LogIn("SCRAM-SHA-256", Shown(with), "bob"), "bob");
}

TEST_F(AppPasswordLogins, GetTheKeysOfAHashThatWasSwitchedOnLater) {
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-256"}, 4096, ""));
  parts.MustCreate("bob", "secret");
  const AddedAppPassword phone = parts.accounts.AddAppPassword("bob", {"phone", {}}, kNow).value();
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-256", "SCRAM-SHA-512"}, 4096, ""));
  EXPECT_EQ(LogIn("SCRAM-SHA-512", Shown(phone), "bob"), "refused");
  EXPECT_EQ(LogIn("PLAIN", Shown(phone), "bob"), "bob");
  parts.WaitForTheLane();
  const Epoch complete = parts.accounts.Get("bob").value().epoch;
  EXPECT_GT(complete, phone.account.epoch);
  for (const char* mechanism : {"SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"}) {
    EXPECT_EQ(LogIn(mechanism, Shown(phone), "bob"), "bob") << mechanism;
  }
  EXPECT_EQ(LogIn("SCRAM-SHA-256", "secret", "bob"), "bob");
  parts.WaitForTheLane();
  EXPECT_EQ(parts.accounts.Get("bob").value().epoch, complete) << "nothing was missing any more";
}

TEST_F(AppPasswordLogins, GetASaltWhereScramWasSwitchedOnLater) {
  parts.deriver.Adopt({});
  parts.MustCreate("bob", "secret");
  const AddedAppPassword phone = parts.accounts.AddAppPassword("bob", {"phone", {}}, kNow).value();
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-256"}, 4096, ""));
  EXPECT_EQ(LogIn("LOGIN", Shown(phone), "bob"), "bob");
  parts.WaitForTheLane();
  EXPECT_EQ(LogIn("SCRAM-SHA-256", Shown(phone), "bob"), "bob");
  // Its own password gets keys with that very salt.
  EXPECT_EQ(LogIn("PLAIN", "secret", "bob"), "bob");
  EXPECT_EQ(LogIn("SCRAM-SHA-256", "secret", "bob"), "bob");
  EXPECT_EQ(LogIn("SCRAM-SHA-256", Shown(phone), "bob"), "bob");
}

// Its key may go next: a pass that changes keys may have been here between the reading and this.
TEST_F(AppPasswordLogins, TheAccountsHashKeepsItsPepperWhereOneIsCompleted) {
  parts.deriver.Adopt({});
  parts.MustCreate("bob", "secret");
  const AddedAppPassword phone = parts.accounts.AddAppPassword("bob", {"phone", {}}, kNow).value();
  const uint32_t old_key = phone.account.credential.pepper_id;
  std::map<uint32_t, Secret> peppers;
  peppers.emplace(old_key, Secret("pepper"));
  peppers.emplace(old_key + 1, Secret("another"));
  parts.hasher.Adopt(std::move(peppers));
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-256"}, 4096, ""));
  EXPECT_EQ(LogIn("PLAIN", Shown(phone), "bob"), "bob");
  parts.WaitForTheLane();
  ASSERT_TRUE(parts.accounts.Get("bob").value().credential.scram.has_value());
  std::map<uint32_t, Secret> left;
  left.emplace(old_key + 1, Secret("another"));
  parts.hasher.Adopt(std::move(left));
  EXPECT_EQ(LogIn("PLAIN", "secret", "bob"), "bob");
}

TEST_F(AppPasswordLogins, ARevokedOneIsNotCompleted) {
  parts.deriver.Adopt({});
  parts.MustCreate("bob", "secret");
  const AddedAppPassword phone = parts.accounts.AddAppPassword("bob", {"phone", {}}, kNow).value();
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-256"}, 4096, ""));
  {
    const BusyThread busy(parts.lane);
    EXPECT_EQ(LogIn("PLAIN", Shown(phone), "bob"), "bob");
    ASSERT_TRUE(parts.accounts.RevokeAppPassword("bob", phone.id).ok());
  }
  parts.WaitForTheLane();
  const Account bob = parts.accounts.Get("bob").value();
  EXPECT_TRUE(bob.app_passwords.empty());
  EXPECT_FALSE(bob.credential.scram.has_value());
}

TEST_F(AppPasswordLogins, AreLimited) {
  EXPECT_EQ(parts.accounts.AddAppPassword("alice", {"", {}}, kNow).status().message(),
            "label: is empty");
  EXPECT_FALSE(parts.accounts.AddAppPassword("alice", {"a\nb", {}}, kNow).ok());
  EXPECT_FALSE(parts.accounts.AddAppPassword("alice", {std::string(101, 'x'), {}}, kNow).ok());
  EXPECT_EQ(parts.accounts.AddAppPassword("alice", {"x", {}, kNow}, kNow).status().message(),
            "expires: is over already");
  EXPECT_TRUE(absl::IsNotFound(parts.accounts.AddAppPassword("bob", {"x", {}}, kNow).status()));
  parts.deriver.Adopt({});
  for (size_t i = 0; i < kMostAppPasswords; ++i) Add();
  EXPECT_TRUE(
      absl::IsFailedPrecondition(parts.accounts.AddAppPassword("alice", {"x", {}}, kNow).status()));
}

}  // namespace
}  // namespace sasld
