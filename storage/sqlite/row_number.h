// The number of an account's row.
//
// A row that lies where its name says is found in one tree: no index of names is looked into first.
// With millions of users that halves what a lookup reads. A number is a hint: rows of older
// databases, and of names whose number was taken, have another and are found by name.
#pragma once

#include <cstdint>
#include <string_view>

namespace sasld {

// The same for ever: it is what databases are laid out by. Never negative.
constexpr int64_t RowNumberOf(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char byte : name) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  // FNV's high bits know little of the last bytes; splitmix64's finish spreads them.
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  return static_cast<int64_t>((hash ^ (hash >> 31)) >> 1);
}

}  // namespace sasld
