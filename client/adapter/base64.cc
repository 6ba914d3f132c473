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
  size_t at = out.size();
  out.resize(at + Base64Size(bytes.size()));
  auto byte = [&bytes](size_t i) -> uint32_t { return static_cast<unsigned char>(bytes[i]); };
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) out[at++] = kAlphabet[group >> shift & 63];
  }
  size_t rest = bytes.size() - i;
  if (rest == 0) return;
  uint32_t group = byte(i) << 16 | (rest == 2 ? byte(i + 1) << 8 : 0);
  out[at++] = kAlphabet[group >> 18 & 63];
  out[at++] = kAlphabet[group >> 12 & 63];
  out[at++] = rest == 2 ? kAlphabet[group >> 6 & 63] : '=';
  out[at++] = '=';
}

bool LooksLikeBase64(std::string_view text) {
  return text.size() % 4 == 0 && std::all_of(text.begin(), text.end(), [](char c) {
           return kInText[static_cast<unsigned char>(c)];
         });
}

}  // namespace sasld
