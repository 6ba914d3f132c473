#include "client/adapter/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace sasld {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<bool, 256> kInText = [] {
  std::array<bool, 256> in_text{};
  for (char c : kAlphabet) in_text[static_cast<unsigned char>(c)] = true;
  in_text['='] = true;
  return in_text;
}();

}  // namespace

void AppendBase64(std::string_view bytes, std::string& out) {
  size_t begin = out.size();
  out.resize(begin + Base64Size(bytes.size()));
  // By pointers: a string checks each index in our builds, and a tenth of the adapter's own
  // instructions were here.
  char* to = out.data() + begin;
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

bool LooksLikeBase64(std::string_view text) {
  return text.size() % 4 == 0 && std::all_of(text.begin(), text.end(), [](char c) {
           return kInText[static_cast<unsigned char>(c)];
         });
}

std::optional<std::string> Base64Decoded(std::string_view text) {
  std::string_view digits = text.substr(0, text.find('='));
  std::string bytes;
  uint32_t bits = 0;
  int held = 0;
  for (char c : digits) {
    size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xff);
  }
  // Padding and the bits that are left over have one right form.
  std::string again;
  AppendBase64(bytes, again);
  if (again != text) return std::nullopt;
  return bytes;
}

}  // namespace sasld
