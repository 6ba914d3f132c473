#include "client/adapter/metrics.h"

#include "proto/common/metrics_text.h"

namespace sasld {
namespace {

using Temporary = ListenerCounts::Temporary;

double Number(uint64_t count) { return static_cast<double>(count); }

// The families that have a sample for each listener.
class ListenersText {
 public:
  ListenersText(const std::vector<std::unique_ptr<Listener>>& listeners, MetricsText& text)
      : listeners_(listeners), text_(text) {}

  void Add(Tally ListenerCounts::*tally) {
    for (const auto& listener : listeners_) {
      text_.Sample({{"listener", listener->path()}, {"protocol", listener->protocol()}},
                   Number((listener->counts().*tally).value()));
    }
  }

  void AddOutcomes() {
    for (const auto& listener : listeners_) {
      const ListenerCounts& counts = listener->counts();
      uint64_t temporary = 0;
      for (const Tally& tally : counts.temporary) temporary += tally.value();
      Outcome(*listener, "granted", counts.granted.value());
      Outcome(*listener, "refused", counts.refused.value());
      Outcome(*listener, "temporary", temporary);
    }
  }

  void AddTemporaryFailures() {
    for (const auto& listener : listeners_) {
      for (size_t reason = 0; reason < ListenerCounts::kTemporaryReasons; ++reason) {
        const auto name = ListenerCounts::NameOf(static_cast<Temporary>(reason));
        text_.Sample(
            {{"listener", listener->path()}, {"protocol", listener->protocol()}, {"reason", name}},
            Number(listener->counts().temporary[reason].value()));
      }
    }
  }

 private:
  void Outcome(const Listener& listener, std::string_view outcome, uint64_t count) {
    text_.Sample(
        {{"listener", listener.path()}, {"protocol", listener.protocol()}, {"outcome", outcome}},
        Number(count));
  }

  const std::vector<std::unique_ptr<Listener>>& listeners_;
  MetricsText& text_;
};

void AddConnections(ListenersText& listeners, MetricsText& text) {
  text.Gauge("sasld_adapter_connections", "Connections of mail servers that are open");
  listeners.Add(&ListenerCounts::connections);
  text.Counter("sasld_adapter_connections_total", "Connections of mail servers that were taken");
  listeners.Add(&ListenerCounts::connections_made);
  text.Counter("sasld_adapter_connections_refused_total",
               "Connections that allow_users and allow_groups do not let in");
  listeners.Add(&ListenerCounts::connections_refused);
  text.Counter("sasld_adapter_accept_pauses_total",
               "Times that connections had to wait, as max_connections or the limit of open files "
               "was reached");
  listeners.Add(&ListenerCounts::accept_pauses);
  text.Counter("sasld_adapter_protocol_violations_total",
               "Connections that were hung up on, as they broke the protocol");
  listeners.Add(&ListenerCounts::violations);
  text.Counter("sasld_adapter_turns_awaited_total",
               "Times that a connection had to wait, as too many of its exchanges came to nothing");
  listeners.Add(&ListenerCounts::turns_awaited);
}

void AddExchanges(ListenersText& listeners, MetricsText& text) {
  text.Counter("sasld_adapter_exchanges_begun_total", "First steps of exchanges");
  listeners.Add(&ListenerCounts::begun);
  text.Counter("sasld_adapter_exchanges_total",
               "Exchanges that came to an end while somebody waited for it, by outcome");
  listeners.AddOutcomes();
  text.Counter("sasld_adapter_temporary_failures_total",
               "Exchanges and questions about accounts that could not be decided, by reason");
  listeners.AddTemporaryFailures();
  text.Counter("sasld_adapter_account_answers_total",
               "Questions about accounts that were answered");
  listeners.Add(&ListenerCounts::lookups);
  text.Counter("sasld_adapter_steps_abandoned_total",
               "Steps that sasld had when their connection ended");
  listeners.Add(&ListenerCounts::steps_abandoned);
}

}  // namespace

std::string AdapterMetrics(const AdapterMetricsSources& sources) {
  MetricsText text;
  ListenersText listeners(sources.listeners, text);
  AddConnections(listeners, text);
  AddExchanges(listeners, text);
  text.Gauge("sasld_adapter_steps_under_way", "Steps that wait for an answer");
  text.Sample({}, Number(sources.relay.steps_under_way()));
  text.Gauge("sasld_adapter_servers", "Servers of [server] addresses, each address of a name");
  text.Sample({}, Number(sources.client.known_servers()));
  text.Gauge("sasld_adapter_servers_connected", "Those of them that are connected");
  text.Sample({}, Number(sources.client.connected_servers()));
  text.Process("sasld_adapter", absl::ToDoubleSeconds(sources.started - absl::UnixEpoch()));
  return text.str();
}

}  // namespace sasld
