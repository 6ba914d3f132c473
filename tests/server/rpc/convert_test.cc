#include "server/rpc/convert.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace sasld {
namespace {

TEST(Convert, AbsentAndEmptyResponsesDiffer) {
  v1::StepRequest request;
  StepInput input = TakeStepInput(request, absl::UnixEpoch(), absl::InfiniteFuture());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(input.response));
  request.set_response("");
  input = TakeStepInput(request, absl::UnixEpoch(), absl::InfiniteFuture());
  EXPECT_TRUE(std::holds_alternative<std::string>(input.response));
  request.set_response_base64("");
  input = TakeStepInput(request, absl::UnixEpoch(), absl::InfiniteFuture());
  EXPECT_TRUE(std::holds_alternative<StepInput::Base64>(input.response));
}

TEST(Convert, ResponsesAreWipedWhereTheyCameIn) {
  // Short enough to lie inside the string itself, where a move leaves its bytes behind.
  v1::StepRequest request;
  request.set_response("secret");
  const char* raw = request.response().data();
  TakeStepInput(request, absl::UnixEpoch(), absl::InfiniteFuture());
  EXPECT_NE(std::string_view(raw, 6), "secret");
  request.set_response_base64("c2VjcmV0");
  const char* base64 = request.response_base64().data();
  TakeStepInput(request, absl::UnixEpoch(), absl::InfiniteFuture());
  EXPECT_NE(std::string_view(base64, 8), "c2VjcmV0");
}

TEST(Convert, DeadlinesAreCutToOurPatience) {
  v1::StepRequest request;
  EXPECT_EQ(TakeStepInput(request, absl::UnixEpoch(), absl::InfiniteFuture()).deadline,
            absl::UnixEpoch() + kMaxBudget);
  const absl::Time soon = absl::UnixEpoch() + absl::Seconds(1);
  EXPECT_EQ(TakeStepInput(request, absl::UnixEpoch(), soon).deadline, soon);
}

TEST(Convert, LimitsAreChecked) {
  v1::StepRequest request;
  request.set_mechanism(std::string(20, 'A'));
  request.set_state(std::string(kMaxStateBytes, 's'));
  request.set_response(std::string(kMaxResponseBytes, 'r'));
  EXPECT_FALSE(BrokenLimit(request).has_value());
  request.set_mechanism(std::string(21, 'A'));
  EXPECT_TRUE(BrokenLimit(request).has_value());
  request.clear_mechanism();
  request.set_state(std::string(kMaxStateBytes + 1, 's'));
  EXPECT_TRUE(BrokenLimit(request).has_value());
  request.clear_state();
  request.set_response(std::string(kMaxResponseBytes + 1, 'r'));
  EXPECT_TRUE(BrokenLimit(request).has_value());
  request.clear_response();
  request.mutable_connection()->set_remote_ip(std::string(65, '1'));
  EXPECT_TRUE(BrokenLimit(request).has_value());
}

// Fills a field of the certificate or a channel binding, whatever it is.
bool IsWithinLimits(void (*fill)(v1::StepRequest&)) {
  v1::StepRequest request;
  fill(request);
  return !BrokenLimit(request).has_value();
}
constexpr auto kCertificate = [](v1::StepRequest& request) -> v1::ClientCertificate& {
  return *request.mutable_connection()->mutable_certificate();
};

TEST(Convert, CertificatesHaveLimits) {
  using Request = v1::StepRequest;
  EXPECT_TRUE(IsWithinLimits([](Request& r) { kCertificate(r); }));
  EXPECT_TRUE(IsWithinLimits([](Request& r) {
    v1::ClientCertificate& certificate = kCertificate(r);
    certificate.set_sha256_fingerprint(std::string(32, 'f'));
    certificate.set_common_name(std::string(255, 'c'));
    certificate.set_username(std::string(255, 'u'));
    for (int i = 0; i < 16; ++i) certificate.add_emails(std::string(255, 'e'));
  }));
  const auto too_much = std::to_array<void (*)(Request&)>({
      [](Request& r) { kCertificate(r).set_sha256_fingerprint(std::string(31, 'f')); },
      [](Request& r) { kCertificate(r).set_sha256_fingerprint(std::string(33, 'f')); },
      [](Request& r) { kCertificate(r).set_sha256_fingerprint(std::string(64, 'f')); },
      [](Request& r) { kCertificate(r).set_common_name(std::string(256, 'c')); },
      [](Request& r) { kCertificate(r).set_username(std::string(256, 'u')); },
      [](Request& r) {
        kCertificate(r).add_emails("short");
        kCertificate(r).add_emails(std::string(256, 'e'));
        kCertificate(r).add_emails("short");
      },
      [](Request& r) {
        for (int i = 0; i < 17; ++i) kCertificate(r).add_emails("e");
      },
  });
  for (size_t i = 0; i < too_much.size(); ++i) EXPECT_FALSE(IsWithinLimits(too_much[i])) << i;
}

TEST(Convert, ChannelBindingsHaveLimits) {
  using Request = v1::StepRequest;
  EXPECT_TRUE(IsWithinLimits([](Request& r) {
    for (int i = 0; i < 8; ++i) {
      v1::ChannelBinding& binding = *r.add_channel_bindings();
      binding.set_type(std::string(64, 't'));
      binding.set_data(std::string(1024, 'd'));
    }
  }));
  const auto too_much = std::to_array<void (*)(Request&)>({
      [](Request& r) {
        for (int i = 0; i < 9; ++i) r.add_channel_bindings();
      },
      [](Request& r) { r.add_channel_bindings()->set_type(std::string(65, 't')); },
      [](Request& r) { r.add_channel_bindings()->set_data(std::string(1025, 'd')); },
  });
  for (size_t i = 0; i < too_much.size(); ++i) EXPECT_FALSE(IsWithinLimits(too_much[i])) << i;
}

TEST(Convert, EveryFactIsPassedOn) {
  v1::StepRequest request;
  request.set_mechanism("EXTERNAL");
  request.set_state("state");
  v1::ConnectionFacts& facts = *request.mutable_connection();
  facts.set_service("smtp");
  facts.set_remote_ip("192.0.2.1");
  facts.set_local_ip("192.0.2.2");
  facts.set_remote_port(1);
  facts.set_local_port(2);
  facts.set_secured(true);
  facts.set_can_bind(true);
  facts.mutable_certificate()->set_sha256_fingerprint(std::string(32, '\0'));
  facts.mutable_certificate()->set_common_name("Ann\xff");
  facts.mutable_certificate()->add_emails("a@example.org");
  facts.mutable_certificate()->add_emails("b@example.org");
  facts.mutable_certificate()->set_username("ann");
  for (const char* type : {"tls-exporter", "tls-unique"}) {
    v1::ChannelBinding& binding = *request.add_channel_bindings();
    binding.set_type(type);
    binding.set_data(std::string("\0data", 5));
  }
  const StepInput input = TakeStepInput(request, absl::UnixEpoch(), absl::InfiniteFuture());
  EXPECT_EQ(input.mechanism, "EXTERNAL");
  EXPECT_EQ(input.state, "state");
  EXPECT_EQ(input.facts.service, "smtp");
  EXPECT_EQ(input.facts.remote_ip, "192.0.2.1");
  EXPECT_EQ(input.facts.local_ip, "192.0.2.2");
  EXPECT_EQ(input.facts.remote_port, 1u);
  EXPECT_EQ(input.facts.local_port, 2u);
  EXPECT_TRUE(input.facts.secured);
  EXPECT_TRUE(input.facts.can_bind);
  const ClientCertificate expected{
      std::string(32, '\0'), "Ann\xff", {"a@example.org", "b@example.org"}, "ann"};
  ASSERT_TRUE(input.facts.certificate.has_value());
  EXPECT_TRUE(*input.facts.certificate == expected);
  ASSERT_EQ(input.facts.channel_bindings.size(), 2u);
  EXPECT_EQ(input.facts.channel_bindings[0].type, "tls-exporter");
  EXPECT_EQ(input.facts.channel_bindings[1].type, "tls-unique");
  EXPECT_EQ(input.facts.channel_bindings[1].data, std::string("\0data", 5));
}

TEST(Convert, WithoutFactsNothingIsKnown) {
  const ConnectionFacts facts = FactsOf({});
  EXPECT_FALSE(facts.secured);
  EXPECT_FALSE(facts.can_bind);
  // No certificate is not the same as an empty one.
  EXPECT_FALSE(facts.certificate.has_value());
  v1::ConnectionFacts with_empty;
  with_empty.mutable_certificate();
  EXPECT_TRUE(FactsOf(with_empty).certificate.has_value());
}

TEST(Convert, MechanismsHaveTheirProperties) {
  v1::ListMechanismsReply reply;
  FillMechanisms({FindMechanism("SCRAM-SHA-256-PLUS"), FindMechanism("ANONYMOUS")}, reply);
  ASSERT_EQ(reply.mechanisms_size(), 2);
  EXPECT_EQ(reply.mechanisms(0).name(), "SCRAM-SHA-256-PLUS");
  EXPECT_TRUE(reply.mechanisms(0).channel_binding());
  EXPECT_TRUE(reply.mechanisms(0).mutual_auth());
  EXPECT_FALSE(reply.mechanisms(0).anonymous());
  EXPECT_TRUE(reply.mechanisms(1).anonymous());
  EXPECT_FALSE(reply.mechanisms(1).channel_binding());
}

TEST(Convert, EachResultIsItsOwnReply) {
  v1::StepReply reply;
  FillReply(ContinueWith{"data", "state"}, reply);
  EXPECT_EQ(reply.challenge().state(), "state");
  EXPECT_EQ(reply.challenge().channel_binding_type(), "");
  FillReply(ContinueWith{"data", "state", "tls-exporter"}, reply);
  EXPECT_EQ(reply.challenge().channel_binding_type(), "tls-exporter");
  FillReply(Granted{"a", "b", std::nullopt}, reply);
  EXPECT_EQ(reply.success().authzid(), "b");
  EXPECT_FALSE(reply.success().has_data());
  FillReply(Granted{"a", "b", ""}, reply);
  EXPECT_TRUE(reply.success().has_data());
  EXPECT_FALSE(reply.success().anonymous());
  FillReply(Granted{"a", "a", std::nullopt, true}, reply);
  EXPECT_TRUE(reply.success().anonymous());
  FillReply(Refused{Refusal::kAuthenticationFailed, "a", {}}, reply);
  EXPECT_EQ(reply.failure().code(), v1::Failure::AUTHENTICATION_FAILED);
  EXPECT_EQ(reply.failure().authcid(), "a");
  FillReply(Undecided{"why", true}, reply);
  EXPECT_EQ(reply.temporary().text(), "why");
  EXPECT_TRUE(reply.temporary().retry_elsewhere());
  FillReply(Undecided{"why", false}, reply);
  EXPECT_FALSE(reply.temporary().retry_elsewhere());
}

}  // namespace
}  // namespace sasld
