#include "server/sasl/base64.h"

#include <array>
#include <cstdint>

namespace sasld {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kNoDigit = 0xff;

constexpr std::array<uint8_t, 256> MakeValues() {
  std::array<uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return values;
}
constexpr std::array<uint8_t, 256> kValues = MakeValues();

// The decoded size of `text`, or nothing if its length or padding cannot be right.
std::optional<size_t> DecodedBytes(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = 0;
  if (text.ends_with("==")) {
    padding = 2;
  } else if (text.ends_with("=")) {
    padding = 1;
  }
  return text.size() / 4 * 3 - padding;
}

// Writes DecodedBytes(text) bytes to `out`; false if a digit is foreign or leftover bits are not
// zero.
bool DecodeInto(std::string_view text, size_t decoded_bytes, char* out) {
  uint32_t bits = 0;
  int held = 0;
  size_t written = 0;
  const size_t digits = (decoded_bytes * 8 + 5) / 6;
  for (const char c : text.substr(0, digits)) {
    const uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (value == kNoDigit) return false;
    bits = (bits << 6) | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[written++] = static_cast<char>((bits >> held) & 0xff);
    }
  }
  return (bits & ((1u << held) - 1)) == 0;
}

}  // namespace

std::string EncodeBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    held += 8;
    while (held >= 6) {
      held -= 6;
      text.push_back(kAlphabet[(bits >> held) & 0x3f]);
    }
  }
  if (held > 0) text.push_back(kAlphabet[(bits << (6 - held)) & 0x3f]);
  while (text.size() % 4 != 0) text.push_back('=');
  return text;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  const std::optional<size_t> bytes = DecodedBytes(text);
  if (!bytes) return std::nullopt;
  std::string decoded(*bytes, '\0');
  if (!DecodeInto(text, *bytes, decoded.data())) return std::nullopt;
  return decoded;
}

std::optional<Secret> DecodeBase64Secret(std::string_view text) {
  const std::optional<size_t> bytes = DecodedBytes(text);
  if (!bytes) return std::nullopt;
  Secret decoded = Secret::Zeros(*bytes);
  if (!DecodeInto(text, *bytes, decoded.Bytes())) return std::nullopt;
  return decoded;
}

}  // namespace sasld
