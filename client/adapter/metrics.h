// sasld-adapter's metrics: what its listeners have counted, as Prometheus wants it told. Each is
// described in deploy/metrics/README.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/adapter/listener.h"
#include "client/adapter/relay.h"
#include "client/grpc_step_client.h"

namespace sasld {

// All must outlive their use by AdapterMetrics().
struct AdapterMetricsSources {
  const std::vector<std::unique_ptr<Listener>>& listeners;
  const Relay& relay;
  const GrpcStepClient& client;
  absl::Time started;
};

// Any thread, while no listener comes or goes.
std::string AdapterMetrics(const AdapterMetricsSources& sources);

}  // namespace sasld
