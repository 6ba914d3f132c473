#include "server/auth/notation.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "server/sasl/base64.h"

namespace sasld {
namespace {

constexpr bool IsDecimalDigit(char c) { return c >= '0' && c <= '9'; }

std::optional<uint8_t> HexDigit(char c) {
  if (IsDecimalDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> TakeUntil(std::string_view& in, char end) {
  const size_t at = in.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view taken = in.substr(0, at);
  in.remove_prefix(at + 1);
  return taken;
}

bool TakePrefix(std::string_view& in, std::string_view prefix) {
  if (!in.starts_with(prefix)) return false;
  in.remove_prefix(prefix.size());
  return true;
}

std::optional<uint32_t> TakeDecimal(std::string_view& in) {
  const auto end = std::find_if_not(in.begin(), in.end(), IsDecimalDigit);
  const auto digits = in.substr(0, static_cast<size_t>(end - in.begin()));
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  in.remove_prefix(digits.size());
  uint32_t value = 0;
  const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() ? value : std::numeric_limits<uint32_t>::max();
}

std::optional<uint32_t> DecimalOf(std::string_view text) {
  const std::optional<uint32_t> value = TakeDecimal(text);
  return text.empty() ? value : std::nullopt;
}

std::optional<Secret> DecodeHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Secret bytes = Secret::Zeros(text.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const std::optional<uint8_t> high = HexDigit(text[2 * i]);
    const std::optional<uint8_t> low = HexDigit(text[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    bytes.Bytes()[i] = static_cast<char>(*high << 4 | *low);
  }
  return bytes;
}

std::optional<Secret> DecodePaddedOrNot(std::string_view text) {
  if (text.size() % 4 == 0 || text.ends_with('=')) return DecodeBase64Secret(text);
  const Secret padded = Secret::Joined(Secret(text), Secret(text.size() % 4 == 2 ? "==" : "="));
  return DecodeBase64Secret(padded.Reveal());
}

std::string EncodeHex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

std::string Capitals(std::string_view text) {
  std::string capitals(text);
  for (char& c : capitals) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return capitals;
}

std::string Concatenated(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text.append(part);
  return text;
}

absl::Status Refused(std::initializer_list<std::string_view> words) {
  return absl::InvalidArgumentError(Concatenated(words));
}

std::optional<uint32_t> CryptDigit(char c) {
  if (c == '.') return 0;
  if (c == '/') return 1;
  if (IsDecimalDigit(c)) return c - '0' + 2;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 12;
  if (c >= 'a' && c <= 'z') return c - 'a' + 38;
  return std::nullopt;
}

bool IsCryptDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return CryptDigit(c).has_value(); });
}

}  // namespace sasld
