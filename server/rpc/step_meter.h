// What an endpoint can tell of its steps and streams, for metrics.
#pragma once

#include <prometheus/histogram.h>

#include "absl/time/time.h"
#include "proto/common/tally.h"
#include "server/auth/exchange.h"

namespace sasld {

// Thread-safe.
class StepMeter {
 public:
  StepMeter();

  // `took`: from receipt to decision. A refusal is held back after that.
  void Decided(const StepResult& result, absl::Duration took);
  // A step did not get to the exchange: it broke the contract's limits, or there were too many.
  void TurnedAway() { turned_away_.Add(); }
  void StreamOpened() { streams_.Add(); }
  void StreamClosed() { streams_.Subtract(); }

  // In seconds.
  const prometheus::Histogram& continued() const { return continued_; }
  const prometheus::Histogram& granted() const { return granted_; }
  const prometheus::Histogram& refused() const { return refused_; }
  const prometheus::Histogram& temporary() const { return temporary_; }
  const Tally& turned_away() const { return turned_away_; }
  const Tally& streams() const { return streams_; }

 private:
  prometheus::Histogram continued_;
  prometheus::Histogram granted_;
  prometheus::Histogram refused_;
  prometheus::Histogram temporary_;
  Tally turned_away_;
  Tally streams_;
};

}  // namespace sasld
