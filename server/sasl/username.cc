#include "server/sasl/username.h"

#include <unicode/ucasemap.h>

#include <algorithm>
#include <memory>

#include "proto/common/status_macros.h"
#include "server/sasl/saslprep.h"

namespace sasld {
namespace {

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

// Lower case by Unicode's rules of no particular language, so that the result does not hang on a
// locale.
absl::StatusOr<std::string> LowerCase(std::string_view text) {
  std::string lower(text);
  if (IsAscii(text)) {
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return lower;
  }
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UCaseMap, decltype(&ucasemap_close)> map(
      ucasemap_open("", U_FOLD_CASE_DEFAULT, &error), &ucasemap_close);
  if (U_FAILURE(error)) return absl::InternalError("ICU has no case map");
  lower.resize(text.size() * 3);  // the most that one code point grows by
  const int32_t bytes =
      ucasemap_utf8ToLower(map.get(), lower.data(), static_cast<int32_t>(lower.size()), text.data(),
                           static_cast<int32_t>(text.size()), &error);
  if (U_FAILURE(error)) return absl::InvalidArgumentError("not valid UTF-8");
  lower.resize(static_cast<size_t>(bytes));
  return lower;
}

}  // namespace

absl::StatusOr<Username> Username::Prepare(std::string_view name) {
  // Before preparation, so that a long one costs nothing.
  if (name.size() > 4 * kMaxBytes) return absl::InvalidArgumentError("longer than 255 bytes");
  ASSIGN_OR_RETURN(const std::string prepared, PrepareStored(name));
  ASSIGN_OR_RETURN(std::string lower, LowerCase(prepared));
  // Lower-casing may undo what preparation did to the text before (it maps "İ" to two code points).
  ASSIGN_OR_RETURN(lower, PrepareStored(lower));
  if (lower.empty()) return absl::InvalidArgumentError("is empty");
  if (lower.size() > kMaxBytes) return absl::InvalidArgumentError("longer than 255 bytes");
  return Username(std::move(lower));
}

}  // namespace sasld
