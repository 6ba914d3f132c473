#include "client/base64.h"

#include <cstdint>

namespace sasld {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

void EncodeBase64(std::string_view bytes, char* out) {
  // By pointers: a string checks each index in our builds, and a tenth of the adapter's own
  // instructions were here.
  char* to = out;
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  const char* digits = kAlphabet.data();
  size_t rest = bytes.size();
  for (; rest >= 3; rest -= 3, from += 3) {
    uint32_t group = uint32_t{from[0]} << 16 | uint32_t{from[1]} << 8 | from[2];
    *to++ = digits[group >> 18];
    *to++ = digits[group >> 12 & 63];
    *to++ = digits[group >> 6 & 63];
    *to++ = digits[group & 63];
  }
  if (rest == 0) return;
  uint32_t group = uint32_t{from[0]} << 16 | (rest == 2 ? uint32_t{from[1]} << 8 : 0);
  *to++ = digits[group >> 18];
  *to++ = digits[group >> 12 & 63];
  *to++ = rest == 2 ? digits[group >> 6 & 63] : '=';
  *to++ = '=';
}

std::optional<size_t> DecodeBase64(std::string_view text, char* out, size_t capacity) {
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && !text.empty() && text.back() == '=') {
    text.remove_suffix(1);
    ++padding;
  }
  uint32_t bits = 0;
  int held = 0;
  size_t written = 0;
  for (char c : text) {
    size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    if (written == capacity) return std::nullopt;
    out[written++] = static_cast<char>(bits >> held & 0xff);
  }
  // What is left over is no byte's, and RFC 4648 section 3.5 wants it zero.
  if (held == 6 || (bits & ((1U << held) - 1)) != 0) return std::nullopt;
  return written;
}

}  // namespace sasld
