// Where metrics are served: [metrics] of both configurations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/common/toml_reader.h"

namespace sasld {

struct MetricsAddress {
  std::string text;       // as configured; empty: nowhere
  std::string unix_path;  // or
  std::string ip;         // IPv4 or IPv6, without brackets
  uint16_t port = 0;

  bool off() const { return text.empty(); }
  friend bool operator==(const MetricsAddress&, const MetricsAddress&) = default;
};

// Reads the table. What is no address is rejected there, and the result is off.
MetricsAddress ReadMetrics(TomlTable metrics);

}  // namespace sasld
