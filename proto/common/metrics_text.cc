#include "proto/common/metrics_text.h"

#include <prometheus/text_serializer.h>

namespace sasld {

void MetricsText::Begin(std::string_view name, std::string_view help, prometheus::MetricType type) {
  families_.push_back({std::string(name), std::string(help), type, {}});
}

void MetricsText::Counter(std::string_view name, std::string_view help) {
  Begin(name, help, prometheus::MetricType::Counter);
}

void MetricsText::Gauge(std::string_view name, std::string_view help) {
  Begin(name, help, prometheus::MetricType::Gauge);
}

void MetricsText::Histogram(std::string_view name, std::string_view help) {
  Begin(name, help, prometheus::MetricType::Histogram);
}

prometheus::ClientMetric& MetricsText::Add(Labels labels) {
  prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
  for (const auto& [name, value] : labels) {
    metric.label.push_back({std::string(name), std::string(value)});
  }
  return metric;
}

void MetricsText::Sample(Labels labels, double value) {
  const bool counts = families_.back().type == prometheus::MetricType::Counter;
  prometheus::ClientMetric& metric = Add(labels);
  (counts ? metric.counter.value : metric.gauge.value) = value;
}

void MetricsText::Sample(Labels labels, const prometheus::Histogram& histogram) {
  Add(labels).histogram = histogram.Collect().histogram;
}

void MetricsText::Process(const std::string& prefix, double start_time_seconds) {
  Gauge(prefix + "_build_info", "Always 1; the version is its label");
  Sample({{"version", SASLD_VERSION}}, 1);
  Gauge(prefix + "_start_time_seconds", "When the process began to serve, in seconds since 1970");
  Sample({}, start_time_seconds);
}

std::string MetricsText::str() const {
  return static_cast<const prometheus::Serializer&>(prometheus::TextSerializer())
      .Serialize(families_);
}

}  // namespace sasld
