// What a listener counts for metrics: connections, and what sasld answered. Nothing of a client's
// choosing, and no mechanism, as the adapter knows none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proto/common/tally.h"
#include "sasld/v1/sasl.pb.h"

namespace sasld {

// Counted on the event loop's thread, read on any.
struct ListenerCounts {
  // Who said that nobody can tell now.
  enum class Temporary {
    kServer,  // sasld
    kNoServer,
    kNoAnswer,
    kBrokenTooOften,
    kTooManySteps,
  };
  static constexpr size_t kTemporaryReasons = 5;
  // "no-answer".
  static std::string_view NameOf(Temporary reason);

  void Count(const v1::StepReply& reply);

  Tally connections;       // open
  Tally connections_made;  // since the start, without those refused
  Tally connections_refused;
  Tally accept_pauses;
  Tally begun;  // first steps
  Tally granted;
  Tally refused;
  std::array<Tally, kTemporaryReasons> temporary;  // by Temporary
  Tally lookups;                                   // answers about accounts
  Tally steps_abandoned;
  Tally violations;
  Tally turns_awaited;
};

}  // namespace sasld
