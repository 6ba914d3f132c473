#include "client/adapter/trust.h"

#include <gtest/gtest.h>

#include "adapter_fixture.h"

namespace sasld {
namespace {

using testing::AdapterTest;
using testing::FakeSaslServer;
using testing::Mta;
using testing::Succeed;

v1::StepRequest Step() {
  v1::StepRequest step;
  step.set_mechanism("SCRAM-SHA-256-PLUS");
  step.set_state("sealed");
  v1::ConnectionFacts& facts = *step.mutable_connection();
  facts.set_service("smtp");
  facts.set_remote_ip("192.0.2.7");
  facts.set_local_ip("192.0.2.1");
  facts.set_remote_port(4711);
  facts.set_local_port(587);
  facts.set_secured(true);
  facts.set_can_bind(true);
  facts.mutable_certificate()->set_username("ann");
  step.add_channel_bindings()->set_type("tls-exporter");
  return step;
}

// The step above without what `trust` does not cover.
std::string Cleared(Trust trust) {
  v1::StepRequest step = Step();
  ClearUntrusted(trust, step);
  return step.DebugString();
}

TEST(Trust, CoversAllByDefault) { EXPECT_EQ(Cleared({}), Step().DebugString()); }

TEST(Trust, TakesEachFactByItself) {
  v1::StepRequest no_address = Step();
  no_address.mutable_connection()->set_remote_ip("untrusted");
  no_address.mutable_connection()->clear_local_ip();
  no_address.mutable_connection()->clear_remote_port();
  no_address.mutable_connection()->clear_local_port();
  EXPECT_EQ(Cleared({.address = false}), no_address.DebugString());

  v1::StepRequest not_secured = Step();
  not_secured.mutable_connection()->clear_secured();
  EXPECT_EQ(Cleared({.secured = false}), not_secured.DebugString());

  v1::StepRequest no_certificate = Step();
  no_certificate.mutable_connection()->clear_certificate();
  EXPECT_EQ(Cleared({.certificate = false}), no_certificate.DebugString());

  v1::StepRequest no_binding = Step();
  no_binding.mutable_connection()->clear_can_bind();
  no_binding.clear_channel_bindings();
  EXPECT_EQ(Cleared({.channel_binding = false}), no_binding.DebugString());
}

TEST(Trust, TakesAClientThatNamesNoAddressForNoneOfThisMachine) {
  v1::StepRequest step;
  ClearUntrusted({.address = false}, step);
  EXPECT_EQ(step.connection().remote_ip(), "untrusted");
}

TEST(Trust, HasAWordForEachFact) {
  EXPECT_EQ(FindTrust("address"), &Trust::address);
  EXPECT_EQ(FindTrust("secured"), &Trust::secured);
  EXPECT_EQ(FindTrust("certificate"), &Trust::certificate);
  EXPECT_EQ(FindTrust("channel-binding"), &Trust::channel_binding);
  EXPECT_EQ(FindTrust("service"), nullptr);
}

TEST_F(AdapterTest, TellsSasldOnlyWhatASocketIsTrustedWith) {
  FakeSaslServer server(SaslPath(), Succeed);
  StartAdapter("trust = [\"certificate\"]\n");
  Mta mta(Path());
  mta.Handshake(0);
  mta.Write(
      "AUTH\t1\tPLAIN\tservice=smtp\tsecured\trip=192.0.2.7\tlip=192.0.2.1\trport=4711\tlport=587\t"
      "resp=AGFsaWNlAHNlY3JldA==\n");
  EXPECT_EQ(mta.Line(), "OK\t1\tuser=alice");
  ASSERT_EQ(server.steps().size(), 1u);
  EXPECT_EQ(server.steps()[0].connection().ShortDebugString(),
            "service: \"smtp\" remote_ip: \"untrusted\"");
}

TEST_F(AdapterTest, BelievesAllByDefault) {
  FakeSaslServer server(SaslPath(), Succeed);
  StartAdapter();
  Mta mta(Path());
  mta.Handshake(0);
  mta.Write("AUTH\t1\tPLAIN\tservice=smtp\tsecured\trip=192.0.2.7\tresp=AGFsaWNlAHNlY3JldA==\n");
  EXPECT_EQ(mta.Line(), "OK\t1\tuser=alice");
  EXPECT_EQ(server.steps().at(0).connection().ShortDebugString(),
            "service: \"smtp\" remote_ip: \"192.0.2.7\" secured: true");
}

}  // namespace
}  // namespace sasld
