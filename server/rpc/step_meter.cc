#include "server/rpc/step_meter.h"

#include <algorithm>
#include <variant>

namespace sasld {
namespace {

// SCRAM takes tens of microseconds, a hash tens of milliseconds, and nobody waits for more than
// nine seconds.
const prometheus::Histogram::BucketBoundaries kSeconds = {
    0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

}  // namespace

StepMeter::StepMeter()
    : continued_(kSeconds), granted_(kSeconds), refused_(kSeconds), temporary_(kSeconds) {}

void StepMeter::Decided(const StepResult& result, absl::Duration took) {
  struct Visitor {
    StepMeter& meter;
    prometheus::Histogram& operator()(const ContinueWith&) { return meter.continued_; }
    prometheus::Histogram& operator()(const Granted&) { return meter.granted_; }
    prometheus::Histogram& operator()(const Refused&) { return meter.refused_; }
    prometheus::Histogram& operator()(const Undecided&) { return meter.temporary_; }
  };
  // The clock may have been set back meanwhile.
  const double seconds = std::max(0.0, absl::ToDoubleSeconds(took));
  std::visit(Visitor{*this}, result).Observe(seconds);
}

}  // namespace sasld
