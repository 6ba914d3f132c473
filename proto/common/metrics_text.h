// Metrics as the text that Prometheus scrapes, made by Prometheus' C++ library.
//
//   MetricsText text;
//   text.Counter("sasld_logins_total", "Logins that came to an end");
//   text.Sample({{"result", "granted"}}, 7);
#pragma once

#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sasld {

// Not thread-safe: one for each scrape.
class MetricsText {
 public:
  using Label = std::pair<std::string_view, std::string_view>;  // name, value
  using Labels = std::initializer_list<Label>;

  // Each begins a family; samples go to the one that was begun last. `help` ends without a full
  // stop.
  void Counter(std::string_view name, std::string_view help);
  void Gauge(std::string_view name, std::string_view help);
  void Histogram(std::string_view name, std::string_view help);

  // A counter's or gauge's value. As many labels as the family's other samples have.
  void Sample(Labels labels, double value);
  void Sample(Labels labels, const prometheus::Histogram& histogram);

  // What both programs tell: `prefix`_build_info and `prefix`_start_time_seconds.
  void Process(const std::string& prefix, double start_time_seconds);

  std::string str() const;

 private:
  void Begin(std::string_view name, std::string_view help, prometheus::MetricType type);
  prometheus::ClientMetric& Add(Labels labels);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace sasld
