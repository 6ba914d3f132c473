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

}  // namespace sasld
