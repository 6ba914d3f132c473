#include "server/metrics.h"

#include <utility>
#include <variant>

#include "proto/common/metrics_text.h"
#include "server/auth/refusal.h"

namespace sasld {
namespace {

double Number(uint64_t count) { return static_cast<double>(count); }
double Number(const Tally& tally) { return Number(tally.value()); }

// Calls `use` with each reason that is a refusal, or with each that is none.
template <class Use>
void ForReasons(bool refusals, Use use) {
  for (int number = 0; number <= static_cast<int>(kLastReason); ++number) {
    const auto reason = static_cast<Reason>(number);
    if (std::holds_alternative<Refusal>(WhatTheClientLearns(reason)) == refusals) use(reason);
  }
}

// All label values are there from the start: what begins at 1 has no increase that shows.
void AddLogins(const LoginCounts& counts, MetricsText& text) {
  text.Counter("sasld_logins_total", "Logins that came to an end, by mechanism and result");
  for (size_t mechanism = 0; mechanism < counts.mechanisms(); ++mechanism) {
    const std::string_view name = LoginCounts::MechanismName(mechanism);
    for (const auto& [result, word] :
         {std::pair(LoginResult::kGranted, "granted"), std::pair(LoginResult::kRefused, "refused"),
          std::pair(LoginResult::kTemporary, "temporary")}) {
      text.Sample({{"mechanism", name}, {"result", word}}, Number(counts.Of(mechanism, result)));
    }
  }
  text.Counter("sasld_login_refusals_total", "Logins that were refused, by the audit log's reason");
  ForReasons(true, [&](Reason reason) {
    text.Sample({{"reason", NameOf(reason)}}, Number(counts.Of(reason)));
  });
  text.Counter("sasld_login_temporary_failures_total",
               "Logins that were neither granted nor refused, by reason");
  ForReasons(false, [&](Reason reason) {
    text.Sample({{"reason", NameOf(reason)}}, Number(counts.Of(reason)));
  });
  for (const auto& [trouble, word] :
       {std::pair(Trouble::kQueueFull, "hashing-queue-full"),
        std::pair(Trouble::kTooLate, "too-late"), std::pair(Trouble::kStore, "store"),
        std::pair(Trouble::kInternal, "internal")}) {
    text.Sample({{"reason", word}}, Number(counts.Of(trouble)));
  }
}

void AddSteps(const StepMeter& meter, MetricsText& text) {
  text.Histogram("sasld_step_duration_seconds",
                 "From a step's receipt to its decision, by outcome; the delay of refusals comes "
                 "after it");
  text.Sample({{"outcome", "challenge"}}, meter.continued());
  text.Sample({{"outcome", "granted"}}, meter.granted());
  text.Sample({{"outcome", "refused"}}, meter.refused());
  text.Sample({{"outcome", "temporary"}}, meter.temporary());
  text.Counter("sasld_steps_turned_away_total",
               "Steps that broke a limit of the contract, or were too many at once");
  text.Sample({}, Number(meter.turned_away()));
  text.Gauge("sasld_streams", "Streams that are open: one for each adapter that is connected");
  text.Sample({}, Number(meter.streams()));
}

void AddPasswordChecks(const MetricsSources& sources, MetricsText& text) {
  const Answers::Checks& checks = sources.answers.checks();
  text.Counter("sasld_password_checks_total", "Passwords that were checked, by what it took");
  text.Sample({{"by", "hash"}}, Number(checks.hashed));
  text.Sample({{"by", "hash-of-another"}}, Number(sources.in_flight.joined()));
  text.Sample({{"by", "cache"}}, Number(checks.remembered));
  text.Sample({{"by", "app-password"}}, Number(checks.app_password));

  text.Gauge("sasld_hashing_queue_length", "Password checks that wait for a thread");
  text.Sample({}, Number(sources.lane.Queued()));
  text.Gauge("sasld_hashing_queue_limit", "How many may wait");
  text.Sample({}, Number(sources.lane.limits().queued));
  text.Gauge("sasld_hashing_threads", "Threads that hash passwords");
  text.Sample({}, Number(sources.lane.limits().threads));
  const Lane::Refusals& refusals = sources.lane.refusals();
  text.Counter("sasld_hashing_queue_refusals_total",
               "Password checks that found no place to wait, by whose share was full");
  text.Sample({{"full", "queue"}}, Number(refusals.queue_full));
  text.Sample({{"full", "address"}}, Number(refusals.source_full));
}

}  // namespace

std::string ServerMetrics(const MetricsSources& sources) {
  MetricsText text;
  AddLogins(sources.audit.login_counts(), text);
  AddSteps(sources.meter, text);
  AddPasswordChecks(sources, text);
  text.Gauge("sasld_throttle_entries",
             "Addresses and accounts with failures, and accounts with known addresses, in memory");
  text.Sample({}, Number(sources.throttle.size()));
  text.Gauge("sasld_last_uses_waiting", "Last uses of credentials that wait to be written");
  text.Sample({}, Number(sources.last_uses.waiting()));
  text.Counter("sasld_last_use_write_failures_total",
               "Times the store could not write last uses; they are tried again");
  text.Sample({}, Number(sources.last_uses.failures()));
  text.Process("sasld", absl::ToDoubleSeconds(sources.started - absl::UnixEpoch()));
  return text.str();
}

}  // namespace sasld
