#include "server/rpc/convert.h"

#include <gtest/gtest.h>

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

TEST(Convert, EachResultIsItsOwnReply) {
  v1::StepReply reply;
  FillReply(ContinueWith{"data", "state"}, reply);
  EXPECT_EQ(reply.challenge().state(), "state");
  FillReply(Granted{"a", "b", std::nullopt}, reply);
  EXPECT_EQ(reply.success().authzid(), "b");
  EXPECT_FALSE(reply.success().has_data());
  FillReply(Granted{"a", "b", ""}, reply);
  EXPECT_TRUE(reply.success().has_data());
  FillReply(Refused{Refusal::kAuthenticationFailed, "a", {}}, reply);
  EXPECT_EQ(reply.failure().code(), v1::Failure::AUTHENTICATION_FAILED);
  EXPECT_EQ(reply.failure().authcid(), "a");
  FillReply(Undecided{"why"}, reply);
  EXPECT_EQ(reply.temporary().text(), "why");
}

}  // namespace
}  // namespace sasld
