#include "storage/record_fields.h"

#include <algorithm>
#include <string>

#include "server/sasl/fields.h"

namespace sasld {
namespace {

// Longer ones are none of ours, and would not fit a length of four bytes.
constexpr size_t kMostBytes = size_t{1} << 28;

}  // namespace

void FieldWriter::Append(std::string_view bytes) {
  if (used_ + bytes.size() > buffer_.size()) {
    Secret larger = Secret::Zeros(std::max(2 * buffer_.size(), used_ + bytes.size()));
    std::copy_n(buffer_.Bytes(), used_, larger.Bytes());
    buffer_ = std::move(larger);
  }
  std::copy(bytes.begin(), bytes.end(), buffer_.Bytes() + used_);
  used_ += bytes.size();
}

void FieldWriter::Add(uint8_t tag, std::string_view value) {
  std::string head(1, static_cast<char>(tag));
  for (size_t left = value.size();; left >>= 7) {
    head.push_back(static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0)));
    if (left <= 0x7f) break;
  }
  Append(head);
  Append(value);
}

void FieldWriter::AddNumber(uint8_t tag, int64_t value) {
  std::string bytes;
  AppendNumber(bytes, static_cast<uint64_t>(value));
  Add(tag, bytes);
}

Secret FieldWriter::Take() { return Secret(buffer_.Reveal().substr(0, used_)); }

std::optional<Field> FieldReader::Next() {
  if (rest_.empty() || !ok_) return std::nullopt;
  ok_ = false;
  const auto tag = static_cast<uint8_t>(rest_.front());
  size_t size = 0;
  size_t at = 1;
  for (int shift = 0;; shift += 7, ++at) {
    if (at == rest_.size() || shift > 21) return std::nullopt;
    const auto byte = static_cast<uint8_t>(rest_[at]);
    size |= static_cast<size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  ++at;
  if (size > kMostBytes || size > rest_.size() - at) return std::nullopt;
  ok_ = true;
  const Field field{tag, rest_.substr(at, size)};
  rest_.remove_prefix(at + size);
  return field;
}

std::optional<int64_t> NumberOf(std::string_view value) {
  const std::optional<uint64_t> number = TakeNumber(value);
  if (!number || !value.empty()) return std::nullopt;
  return static_cast<int64_t>(*number);
}

}  // namespace sasld
