// log.level, the same in every configuration.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "proto/common/toml_reader.h"

namespace sasld {

// The level of a [log] table; "info" unless set. Each is a word that spdlog knows.
inline std::string ReadLogLevel(TomlTable& log) {
  constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warn", "error"};
  std::string level = log.String("level", "info");
  if (std::find(kLevels.begin(), kLevels.end(), level) == kLevels.end()) {
    log.Reject("level", "\"" + level + "\" is none of debug, info, warn, error");
  }
  return level;
}

}  // namespace sasld
