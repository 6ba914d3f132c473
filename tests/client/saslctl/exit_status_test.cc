#include "client/saslctl/exit_status.h"

#include <gtest/gtest.h>

#include "client/saslctl/connection.h"

namespace sasld::saslctl {
namespace {

int StatusFor(grpc::StatusCode code) {
  return static_cast<int>(ExitStatusOf(FromGrpc(grpc::Status(code, "why"), "unix:/x")));
}

TEST(ExitStatus, FollowsTheServersCode) {
  EXPECT_EQ(StatusFor(grpc::StatusCode::OK), 0);
  EXPECT_EQ(StatusFor(grpc::StatusCode::INTERNAL), 1);
  EXPECT_EQ(StatusFor(grpc::StatusCode::UNIMPLEMENTED), 1);
  EXPECT_EQ(StatusFor(grpc::StatusCode::NOT_FOUND), 3);
  EXPECT_EQ(StatusFor(grpc::StatusCode::PERMISSION_DENIED), 4);
  EXPECT_EQ(StatusFor(grpc::StatusCode::UNAUTHENTICATED), 4);
  EXPECT_EQ(StatusFor(grpc::StatusCode::ALREADY_EXISTS), 5);
  EXPECT_EQ(StatusFor(grpc::StatusCode::FAILED_PRECONDITION), 6);
  EXPECT_EQ(StatusFor(grpc::StatusCode::UNAVAILABLE), 7);
  EXPECT_EQ(StatusFor(grpc::StatusCode::RESOURCE_EXHAUSTED), 7);
  EXPECT_EQ(StatusFor(grpc::StatusCode::DEADLINE_EXCEEDED), 7);
}

TEST(ExitStatus, TellsAServersRuleFromAWrongCommandLine) {
  EXPECT_EQ(StatusFor(grpc::StatusCode::INVALID_ARGUMENT), 6);
  EXPECT_EQ(ExitStatusOf(absl::InvalidArgumentError("why")), ExitStatus::kUsage);
}

TEST(ExitStatus, HasANameForEach) {
  EXPECT_EQ(ExitStatusName(ExitStatus::kNotFound), "not_found");
  EXPECT_EQ(ExitStatusName(ExitStatus::kPolicy), "policy");
}

}  // namespace
}  // namespace sasld::saslctl
