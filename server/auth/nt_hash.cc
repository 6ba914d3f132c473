#include "server/auth/nt_hash.h"

#include <array>
#include <cstdint>
#include <optional>

#include "server/auth/digest_hash.h"

namespace sasld {
namespace {

// A character off the front of `in`; nothing if it is not UTF-8 (RFC 3629).
std::optional<uint32_t> TakeCharacter(std::string_view& in) {
  const auto first = static_cast<unsigned char>(in.front());
  in.remove_prefix(1);
  if (first < 0x80) return first;
  const size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  if (first < 0xc2 || first > 0xf4 || in.size() < more) return std::nullopt;
  uint32_t character = first & (0x3fu >> more);
  for (const char c : in.substr(0, more)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    character = character << 6 | (byte & 0x3f);
  }
  in.remove_prefix(more);
  constexpr std::array<uint32_t, 4> kLeast = {0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xd800 && character < 0xe000;
  if (character < kLeast[more] || character > 0x10ffff || surrogate) return std::nullopt;
  return character;
}

// UTF-16, least significant byte first; nothing if `utf8` is not that.
std::optional<Secret> Utf16(std::string_view utf8) {
  // A character takes at most twice its bytes of UTF-8.
  Secret wide = Secret::Zeros(2 * utf8.size());
  size_t bytes = 0;
  const auto put = [&wide, &bytes](uint32_t unit) {
    wide.Bytes()[bytes++] = static_cast<char>(unit);
    wide.Bytes()[bytes++] = static_cast<char>(unit >> 8);
  };
  while (!utf8.empty()) {
    const std::optional<uint32_t> character = TakeCharacter(utf8);
    if (!character) return std::nullopt;
    if (*character < 0x10000) {
      put(*character);
    } else {
      put(0xd800 + ((*character - 0x10000) >> 10));
      put(0xdc00 + ((*character - 0x10000) & 0x3ff));
    }
  }
  return Secret(wide.Reveal().substr(0, bytes));
}

}  // namespace

bool VerifyNtHash(std::string_view digest, const Secret& password) {
  const std::optional<Secret> wide = Utf16(password.Reveal());
  return wide && VerifyDigestHash(DigestMethod::kMd4, digest, *wide);
}

}  // namespace sasld
