// What a SCRAM server must refuse although the proof is right: the client signs it all.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/server/sasl/one_account.h"
#include "tests/server/sasl/sasl_client.h"

namespace sasld {
namespace {

const OneAccount& Account() {
  static const auto* account = new OneAccount;
  return *account;
}

class EveryScram : public testing::TestWithParam<const RegisteredMechanism*> {
 protected:
  bool IsPlus() const { return GetParam()->properties.channel_binding; }

  // Success, or why not.
  std::optional<Reason> Play(const ClientSettings& settings) const {
    const auto mechanism = GetParam()->make();
    const auto client = MakeClient(GetParam()->name, settings);
    ServerSide server(*mechanism, Account(), facts_);
    Outcome outcome = server.Step(client->InitialResponse());
    if (const auto* challenge = std::get_if<Challenge>(&outcome)) {
      outcome = server.Step(client->Answer(challenge->data));
    }
    if (const auto* failure = std::get_if<Failure>(&outcome)) return failure->reason;
    EXPECT_TRUE(std::holds_alternative<Success>(outcome));
    return std::nullopt;
  }

  ConnectionFacts facts_ = FactsOfAnExchange();
  ClientSettings settings_ = {.binding_data = std::string(32, 'x')};
};

// RFC 5802 s.6.
TEST_P(EveryScram, TakesTheFlagOfItsOwnVariantOnly) {
  for (const char* flag : {"n", "y"}) {
    settings_.binding_flag = flag;
    EXPECT_EQ(Play(settings_), IsPlus() ? std::optional(Reason::kMalformed) : std::nullopt) << flag;
  }
  settings_.binding_flag = "p=tls-exporter";
  EXPECT_EQ(Play(settings_), IsPlus() ? std::nullopt : std::optional(Reason::kMalformed));
  for (const char* flag :
       {"", "p", "p=", "N", "Y", "P=tls-exporter", "p=tls exporter", "nn", "x"}) {
    settings_.binding_flag = flag[0] == '\0' ? " " : flag;
    EXPECT_EQ(Play(settings_), Reason::kMalformed) << flag;
  }
}

// RFC 5802 s.6: a downgrade.
TEST_P(EveryScram, RefusesYWhereBindingWasOffered) {
  settings_.binding_flag = "y";
  facts_.binding_offered = true;
  EXPECT_EQ(Play(settings_), IsPlus() ? Reason::kMalformed : Reason::kBindingMismatch);
  // A client that cannot bind is welcome.
  settings_.binding_flag = "n";
  EXPECT_EQ(Play(settings_), IsPlus() ? std::optional(Reason::kMalformed) : std::nullopt);
}

TEST_P(EveryScram, RefusesAnUnknownTypeOfBinding) {
  for (const char* type :
       {"tls-unknown", "TLS-EXPORTER", "tls-exporter2", "tls-unique-for-telnet"}) {
    settings_.binding_flag = std::string("p=") + type;
    facts_.channel_bindings = {{type, settings_.binding_data}};
    EXPECT_EQ(Play(settings_), Reason::kMalformed) << type;
  }
}

TEST_P(EveryScram, TakesEachKnownTypeOfBinding) {
  if (!IsPlus()) return;  // see TakesTheFlagOfItsOwnVariantOnly
  for (const char* type : {"tls-exporter", "tls-server-end-point", "tls-unique"}) {
    settings_.binding_flag = std::string("p=") + type;
    facts_.channel_bindings = {{"tls-other", "junk"}, {type, settings_.binding_data}};
    EXPECT_EQ(Play(settings_), std::nullopt) << type;
  }
}

// RFC 5802 s.5.1, "c". Without binding the same data do no harm.
TEST_P(EveryScram, RefusesOtherBindingData) {
  const auto refused = IsPlus() ? std::optional(Reason::kBindingMismatch) : std::nullopt;
  const std::string right = settings_.binding_data;
  for (const std::string& wrong :
       {std::string(), std::string(32, 'y'), right + "x", right.substr(1), std::string(32, '\0')}) {
    settings_.binding_data = wrong;
    EXPECT_EQ(Play(settings_), refused);
  }
  settings_.binding_data = right;
  const std::vector<ChannelBinding> none = {};
  const std::vector<ChannelBinding> empty = {{"tls-exporter", ""}};
  const std::vector<ChannelBinding> another_type = {{"tls-unique", right}};
  for (const auto& bindings : {none, empty, another_type}) {
    facts_.channel_bindings = bindings;
    EXPECT_EQ(Play(settings_), refused);
  }
  // The client has none, and neither have we.
  settings_.binding_data = "";
  facts_.channel_bindings = empty;
  EXPECT_EQ(Play(settings_), refused);
}

// RFC 5802 s.5.1, "c": the GS2 header again.
TEST_P(EveryScram, RefusesAnotherGs2HeaderInClientFinal) {
  const std::string data = IsPlus() ? settings_.binding_data : "";
  for (const std::string& header :
       {std::string(), std::string("n"), std::string("y,,"), std::string("n,a=boss,"),
        std::string("p=tls-unique,,"), std::string("N,,"), std::string("n,,n,,"),
        std::string(4096, 'n')}) {
    settings_.cbind_input = header + data;
    EXPECT_EQ(Play(settings_), Reason::kBindingMismatch) << header;
  }
  settings_.cbind_input = (IsPlus() ? "p=tls-exporter,," : "n,,") + data;
  EXPECT_EQ(Play(settings_), std::nullopt);
}

TEST_P(EveryScram, RefusesAnotherNonce) {
  for (const char* suffix : {"x", " ", "3rfcNHYJY1ZVvWVs7j"}) {
    settings_.nonce_suffix = suffix;
    EXPECT_EQ(Play(settings_), Reason::kNonceMismatch) << suffix;
  }
}

TEST_P(EveryScram, RefusesBadNonces) {
  for (const std::string& nonce :
       {std::string(), std::string("a b"), std::string("a\0b", 3), std::string("a\x7f"),
        std::string("a\xc3\xa4"), std::string(513, 'a')}) {
    settings_.cnonce = nonce;
    EXPECT_EQ(Play(settings_), Reason::kMalformed) << testing::PrintToString(nonce);
  }
  settings_.cnonce = std::string(512, 'a');
  EXPECT_EQ(Play(settings_), std::nullopt);
}

TEST_P(EveryScram, IgnoresExtensionsThatItDoesNotKnow) {
  settings_.first_extensions = ",x=1,Y=a=b";
  settings_.final_extensions = ",z=q";
  EXPECT_EQ(Play(settings_), std::nullopt);
}

// RFC 5802 s.5.1: the presence of "m" MUST cause failure when it is parsed, wherever it stands. An
// attribute that has its place already is no extension.
TEST_P(EveryScram, RefusesMandatoryExtensionsAndSecondAttributes) {
  for (const char* extension : {",m=x", ",x=1,m=x", ",n=admin", ",r=abc", ",a=boss", ",c=biws",
                                ",p=AAAA", ",s=AAAA", ",i=1", ",v=AAAA", ",e=other-error"}) {
    ClientSettings at_first = settings_;
    at_first.first_extensions = extension;
    EXPECT_EQ(Play(at_first), Reason::kMalformed) << extension;
    ClientSettings at_last = settings_;
    at_last.final_extensions = extension;
    EXPECT_EQ(Play(at_last), Reason::kMalformed) << extension;
  }
}

TEST_P(EveryScram, RefusesWhatIsNoExtension) {
  for (const std::string& junk :
       {std::string(","), std::string(",x"), std::string(",x="), std::string(",=x"),
        std::string(",1=x"), std::string(",xy=z"), std::string(",x=\0", 4), std::string(",x=y,"),
        std::string(",,x=y")}) {
    ClientSettings at_first = settings_;
    at_first.first_extensions = junk;
    EXPECT_EQ(Play(at_first), Reason::kMalformed) << testing::PrintToString(junk);
    ClientSettings at_last = settings_;
    at_last.final_extensions = junk;
    EXPECT_EQ(Play(at_last), Reason::kMalformed) << testing::PrintToString(junk);
  }
}

std::vector<const RegisteredMechanism*> Scrams() {
  std::vector<const RegisteredMechanism*> scrams;
  for (const RegisteredMechanism& mechanism : AllMechanisms()) {
    if (mechanism.verifier == Verifier::kScram) scrams.push_back(&mechanism);
  }
  return scrams;
}

std::string NameOfTest(const testing::TestParamInfo<const RegisteredMechanism*>& info) {
  std::string name(info.param->name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryScram, testing::ValuesIn(Scrams()), NameOfTest);

}  // namespace
}  // namespace sasld
