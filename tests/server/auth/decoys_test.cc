// Who there is cannot be told from what the server says.
#include <gtest/gtest.h>

#include "tests/server/auth/client.h"

namespace sasld {
namespace {

// What the server said with all that is random, or stands for the user, replaced by its length.
std::string ShapeOf(std::string data) {
  const auto mask = [&data](std::string_view before, std::string_view after) {
    const size_t at = data.find(before);
    if (at == std::string::npos) return;
    const size_t begin = at + before.size();
    const size_t end = data.find(after, begin);
    data.replace(begin, end - begin, "[" + std::to_string(end - begin) + "]");
  };
  mask("r=", ",");  // SCRAM; the client's part was the same
  mask(",s=", ",");
  if (data.starts_with("<")) mask("<", "@");  // CRAM-MD5
  mask("nonce=\"", "\"");                     // DIGEST-MD5
  return data;
}

// A dialogue as whoever watches it sees it, times included.
std::string Transcript(Parts& parts, std::string_view mechanism, std::string name,
                       std::string password) {
  const Dialogue dialogue = Play(parts, {mechanism, std::move(name), std::move(password)});
  std::string transcript;
  for (const ContinueWith& challenge : dialogue.challenges) {
    transcript += "S: " + ShapeOf(challenge.data) + " state of " +
                  std::to_string(challenge.sealed_state.size()) + " bytes, binding " +
                  challenge.channel_binding_type + "\n";
  }
  const Refused* refused = dialogue.refused();
  if (refused == nullptr) return transcript + "not refused";
  return transcript + "refusal " + std::to_string(static_cast<int>(refused->refusal)) +
         ", name of " + std::to_string(refused->authcid.size()) + " bytes, after " +
         absl::FormatDuration(refused->not_before - kNow);
}

std::string SaltAndCount(const Dialogue& dialogue) {
  const std::string& server_first = dialogue.challenges.at(0).data;
  return server_first.substr(server_first.find(",s="));
}

class Decoys : public testing::Test {
 protected:
  template <typename Use>
  static void ForEachMechanismThatLooksUp(Use use) {
    int used = 0;
    for (const RegisteredMechanism& mechanism : AllMechanisms()) {
      if (!LooksUserUp(mechanism)) continue;
      SCOPED_TRACE(mechanism.name);
      use(mechanism);
      ++used;
    }
    ASSERT_GE(used, 16);
  }

  Parts parts{{1, 64, 64}, EveryMechanism()};
};

TEST_F(Decoys, NobodyCanTellWhoThereIs) {
  parts.MustCreate("alice", "secret");
  parts.MustCreate("carol", "secret");
  ASSERT_TRUE(parts.accounts.SetEnabled("carol", false).ok());
  // Accounts that lack some or all verifiers.
  parts.deriver.Adopt({});
  parts.MustCreate("david", "secret");
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-224", "DIGEST-MD5"}, 4096, "elsewhere"));
  parts.MustCreate("erika", "secret");
  ASSERT_TRUE(
      parts.store.Create({Username::Prepare("frank").value(), true, 0, kNow, kNow, {}}).ok());
  ForEachMechanismThatLooksUp([this](const RegisteredMechanism& mechanism) {
    const std::string of_nobody = Transcript(parts, mechanism.name, "nobod", "wrong");
    for (const char* known : {"alice", "carol", "david", "erika", "frank"}) {
      EXPECT_EQ(Transcript(parts, mechanism.name, known, "wrong"), of_nobody) << known;
    }
    EXPECT_EQ(Transcript(parts, mechanism.name, "carol", "secret"), of_nobody) << "disabled";
    EXPECT_NE(Transcript(parts, mechanism.name, "alice", "secret"), of_nobody);
    // Nor by what comes back when the client's message is none.
    for (const char* name : {"alice", "nobod"}) {
      Dialogue junk = PlayToTheLastStep(parts, {mechanism.name, name, "wrong"});
      junk.last.response = "junk";
      junk.end = parts.Step(junk.last);
      ASSERT_NE(junk.refused(), nullptr);
      EXPECT_EQ(junk.refused()->not_before, kNow + absl::Seconds(2));
    }
  });
}

TEST_F(Decoys, NoDecoyFitsAnyPassword) {
  ForEachMechanismThatLooksUp([this](const RegisteredMechanism& mechanism) {
    for (const char* password : {"x", "nobody", "decoy key"}) {
      EXPECT_NE(Play(parts, {mechanism.name, "nobody", password}).refused(), nullptr);
    }
  });
}

// A salt that changes from try to try, at a restart, or from replica to replica would tell a decoy.
TEST_F(Decoys, SaltsAreAsSteadyAsThoseOfUsers) {
  Parts restarted({1, 64, 64}, EveryMechanism());
  const Answers of_another_key(parts.store, parts.directory, parts.deriver, parts.in_flight,
                               parts.cache, Secret("another key"), 4096);
  Exchange other(EveryMechanism(), parts.directory, of_another_key, parts.sealer, parts.entropy,
                 parts.audit, parts.throttle, parts.last_uses);
  ForEachMechanismThatLooksUp([&](const RegisteredMechanism& mechanism) {
    if (mechanism.verifier != Verifier::kScram) return;
    const auto of = [&](Parts& where, const char* name) {
      return SaltAndCount(Play(where, {mechanism.name, name, "x"}));
    };
    const std::string salt = of(parts, "nobody");
    EXPECT_EQ(of(parts, "nobody"), salt);
    EXPECT_EQ(of(parts, "NoBody"), salt);
    EXPECT_EQ(of(restarted, "nobody"), salt);
    EXPECT_NE(of(parts, "nobody2"), salt);
    EXPECT_EQ(of(parts, "nobody2").size(), salt.size());
    std::string elsewhere;
    Client client{mechanism.name, "nobody", "x"};
    other.Step(StepOf(client, client.First()), kNow,
               [&](StepResult result) { elsewhere = std::get<ContinueWith>(result).data; });
    EXPECT_NE(elsewhere.substr(elsewhere.find(",s=")), salt);
  });
}

// Whatever hash a client asks for, one user has one salt: else a user who has some hashes only
// would differ from one who is not there.
TEST_F(Decoys, OneUserHasOneSaltForAllHashes) {
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-1"}, 4096, ""));
  parts.MustCreate("alice", "secret");
  for (const char* name : {"alice", "nobody"}) {
    std::string first;
    ForEachMechanismThatLooksUp([&](const RegisteredMechanism& mechanism) {
      if (mechanism.verifier != Verifier::kScram) return;
      const std::string salt = SaltAndCount(Play(parts, {mechanism.name, name, "x"}));
      if (first.empty()) first = salt;
      EXPECT_EQ(salt, first) << name;
    });
  }
}

}  // namespace
}  // namespace sasld
