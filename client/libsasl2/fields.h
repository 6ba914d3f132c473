// Fields separated by TABs.
#pragma once

#include <algorithm>
#include <string_view>

namespace sasld::libsasl2 {

// Cuts the first field off `line`, with the TAB after it; empty once nothing is left.
inline std::string_view NextField(std::string_view& line) {
  size_t size = std::min(line.find('\t'), line.size());
  std::string_view field(line.data(), size);
  line.remove_prefix(std::min(size + 1, line.size()));
  return field;
}

// Whether `field` is "name=value", or "name" alone; then only the value is left of it.
inline bool TakeValue(std::string_view& field, std::string_view name) {
  if (!field.starts_with(name)) return false;
  if (field.size() == name.size()) {
    field = {};
    return true;
  }
  if (field[name.size()] != '=') return false;
  field.remove_prefix(name.size() + 1);
  return true;
}

}  // namespace sasld::libsasl2
