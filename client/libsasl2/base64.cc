#include "client/libsasl2/base64.h"

#include <cstdint>

namespace sasld::libsasl2 {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

void EncodeBase64(std::string_view bytes, char* out) {
  uint32_t bits = 0;
  int held = 0;
  size_t written = 0;
  for (unsigned char byte : bytes) {
    bits = bits << 8 | byte;
    held += 8;
    while (held >= 6) {
      held -= 6;
      out[written++] = kAlphabet[bits >> held & 63];
    }
  }
  if (held > 0) out[written++] = kAlphabet[bits << (6 - held) & 63];
  while (written < Base64Size(bytes.size())) out[written++] = '=';
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

}  // namespace sasld::libsasl2
