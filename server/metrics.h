// sasld's metrics: what its parts have counted, as Prometheus wants it told. Each is described in
// deploy/metrics/README.md.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "server/auth/answers.h"
#include "server/auth/audit.h"
#include "server/auth/in_flight.h"
#include "server/auth/lane.h"
#include "server/auth/last_use.h"
#include "server/auth/throttle.h"
#include "server/rpc/step_meter.h"

namespace sasld {

struct MetricsSources {
  const Audit& audit;
  const Answers& answers;
  const InFlight& in_flight;
  const Lane& lane;
  const Throttle& throttle;
  const LastUses& last_uses;
  const StepMeter& meter;
  absl::Time started;
};

// Any thread.
std::string ServerMetrics(const MetricsSources& sources);

}  // namespace sasld
