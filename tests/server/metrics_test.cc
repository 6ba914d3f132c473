#include "server/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ServerMetrics, TellWhatWasCounted) {
  Parts parts;
  parts.MustCreate("alice", "secret");
  StepMeter meter;
  const auto step = [&](std::string_view name, std::string_view password, absl::Duration took) {
    meter.Decided(parts.Step(FirstStep("PLAIN", PlainMessage("", name, password))), took);
  };
  step("alice", "secret", absl::Milliseconds(30));
  step("alice", "wrong", absl::Milliseconds(400));
  step("nobody", "wrong", absl::Seconds(-1));
  meter.Decided(parts.Step(FirstStep("LOGIN", "alice")), absl::Microseconds(60));
  meter.TurnedAway();
  meter.StreamOpened();
  meter.StreamOpened();
  meter.StreamClosed();
  const std::string text =
      ServerMetrics({parts.audit, parts.answers, parts.in_flight, parts.lane, parts.throttle,
                     parts.last_uses, meter, absl::FromUnixSeconds(1'800'000'000)});
  for (const char* line : {
           "# TYPE sasld_logins_total counter\n",
           "\nsasld_logins_total{mechanism=\"PLAIN\",result=\"granted\"} 1\n",
           "\nsasld_logins_total{mechanism=\"PLAIN\",result=\"refused\"} 2\n",
           "\nsasld_logins_total{mechanism=\"PLAIN\",result=\"temporary\"} 0\n",
           "\nsasld_logins_total{mechanism=\"unknown\",result=\"refused\"} 0\n",
           "\nsasld_login_refusals_total{reason=\"bad-credentials\"} 1\n",
           "\nsasld_login_refusals_total{reason=\"unknown-user\"} 1\n",
           "\nsasld_login_temporary_failures_total{reason=\"peer-throttled\"} 0\n",
           "\nsasld_login_temporary_failures_total{reason=\"store\"} 0\n",
           "\nsasld_step_duration_seconds_count{outcome=\"challenge\"} 1\n",
           "\nsasld_step_duration_seconds_bucket{outcome=\"challenge\",le=\"0.0001\"} 1\n",
           "\nsasld_step_duration_seconds_bucket{outcome=\"granted\",le=\"0.025\"} 0\n",
           "\nsasld_step_duration_seconds_bucket{outcome=\"granted\",le=\"0.05\"} 1\n",
           "\nsasld_step_duration_seconds_bucket{outcome=\"refused\",le=\"0.0001\"} 1\n",
           "\nsasld_step_duration_seconds_bucket{outcome=\"refused\",le=\"+Inf\"} 2\n",
           "\nsasld_steps_turned_away_total 1\n",
           "\nsasld_streams 1\n",
           "\nsasld_password_checks_total{by=\"hash\"} 3\n",
           "\nsasld_hashing_queue_limit 64\n",
           "\nsasld_hashing_queue_refusals_total{full=\"address\"} 0\n",
           "\nsasld_last_uses_waiting 1\n",
           "\nsasld_build_info{version=\"" SASLD_VERSION "\"} 1\n",
           "\nsasld_start_time_seconds 1800000000\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("alice")));
  EXPECT_THAT(text, Not(HasSubstr("192.0.2.")));
  // A reason is a refusal or a temporary failure, and never both.
  EXPECT_THAT(text, Not(HasSubstr("sasld_login_refusals_total{reason=\"peer-throttled\"}")));
  EXPECT_THAT(text,
              Not(HasSubstr("sasld_login_temporary_failures_total{reason=\"bad-credentials\"}")));
}

}  // namespace
}  // namespace sasld
