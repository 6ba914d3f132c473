#include "server/rpc/grpc_log.h"

#include <gmock/gmock.h>
#include <grpc/support/log.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "spdlog/sinks/ostream_sink.h"

namespace sasld {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

void Fail() { gpr_log(GPR_ERROR, "Handshake failed"); }
void FailElsewhere() { gpr_log(GPR_ERROR, "Failed accept4"); }

// All in one, as gRPC's log can be taken once.
TEST(GrpcLog, WarnsOnceInTenSecondsFromEachPlaceInGrpc) {
  unsetenv("GRPC_VERBOSITY");
  std::ostringstream text;
  auto log = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));
  log->set_pattern("%l: %v");
  absl::Time now = absl::UnixEpoch() + absl::Hours(1);
  TakeGrpcLog(log, [&now] { return now; });
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);  // as gRPC does when it is first used

  Fail();
  EXPECT_THAT(text.str(), StartsWith("warning: gRPC: Handshake failed (grpc_log_test.cc:"));
  EXPECT_THAT(text.str(), EndsWith(", 0 more before)\n"));
  text.str("");
  for (int i = 0; i < 1000; ++i) Fail();
  EXPECT_EQ(text.str(), "");
  FailElsewhere();
  EXPECT_THAT(text.str(), HasSubstr("Failed accept4"));
  now += absl::Seconds(10);
  Fail();
  EXPECT_THAT(text.str(), HasSubstr("1000 more before"));

  gpr_set_log_function([](gpr_log_func_args*) {});  // ours holds on to what ends here
}

}  // namespace
}  // namespace sasld
