// What generated passwords are written in: groups of signs of which none looks like another.
#pragma once

#include <cstddef>
#include <string_view>

namespace sasld {

// 32 signs, so that five bits choose one without bias; no 0 and o, no 1 and l.
inline constexpr std::string_view kReadableSigns = "abcdefghijkmnpqrstuvwxyz23456789";
static_assert(kReadableSigns.size() == 32);
// "k3m9x-7q2ab-…": 125 bits.
inline constexpr size_t kReadableGroups = 5;
inline constexpr size_t kReadableGroupLength = 5;

// The sign that a random byte chooses.
inline char ReadableSign(char random) {
  return kReadableSigns[static_cast<unsigned char>(random) % kReadableSigns.size()];
}

}  // namespace sasld
