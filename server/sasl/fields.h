// Length-prefixed fields: how texts are put one behind the other so that no two sequences look
// alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sasld {

// Appends `value` in eight bytes, most significant first.
inline void AppendNumber(std::string& out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

// Appends the length of `field` and the field.
inline void AppendField(std::string& out, std::string_view field) {
  AppendNumber(out, field.size());
  out.append(field);
}

// Takes a number off the front of `in`; nothing if it is too short.
inline std::optional<uint64_t> TakeNumber(std::string_view& in) {
  if (in.size() < 8) return std::nullopt;
  uint64_t value = 0;
  for (const char c : in.substr(0, 8)) value = (value << 8) | static_cast<unsigned char>(c);
  in.remove_prefix(8);
  return value;
}

// Takes a field off the front of `in`, as a slice of it; nothing if it is cut short.
inline std::optional<std::string_view> TakeField(std::string_view& in) {
  const std::optional<uint64_t> bytes = TakeNumber(in);
  if (!bytes || *bytes > in.size()) return std::nullopt;
  const std::string_view field = in.substr(0, *bytes);
  in.remove_prefix(*bytes);
  return field;
}

}  // namespace sasld
