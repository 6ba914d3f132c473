#include "server/sasl/saslprep.h"

#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace sasld {
namespace {

// Printable ASCII is its own SASLprep form, and nearly all there is.
bool IsPrintableAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// UTF-16 that is wiped, as it may be a password.
struct Utf16 {
  explicit Utf16(size_t units) : text(units) {}
  ~Utf16() { WipeMemory(text.data(), text.size() * sizeof(UChar)); }
  Utf16(const Utf16&) = delete;
  Utf16& operator=(const Utf16&) = delete;
  std::vector<UChar> text;
};

absl::Status NotPreparable(UErrorCode error) {
  if (error == U_INVALID_CHAR_FOUND || error == U_ILLEGAL_CHAR_FOUND) {
    return absl::InvalidArgumentError("not valid UTF-8");
  }
  return absl::InvalidArgumentError("holds a character that SASLprep (RFC 4013) prohibits");
}

// SASLprep by ICU's profile, which ICU caches between opens.
absl::StatusOr<Secret> PrepareByIcu(std::string_view text, int32_t options) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UStringPrepProfile, decltype(&usprep_close)> profile(
      usprep_openByType(USPREP_RFC4013_SASLPREP, &error), &usprep_close);
  if (U_FAILURE(error)) return absl::InternalError("ICU has no SASLprep profile");

  Utf16 wide(text.size() + 1);
  int32_t wide_units = 0;
  u_strFromUTF8(wide.text.data(), static_cast<int32_t>(wide.text.size()), &wide_units, text.data(),
                static_cast<int32_t>(text.size()), &error);
  if (U_FAILURE(error)) return NotPreparable(error);

  // NFKC expands a code point to 18 at most.
  Utf16 prepared(static_cast<size_t>(wide_units) * 18 + 1);
  const int32_t units =
      usprep_prepare(profile.get(), wide.text.data(), wide_units, prepared.text.data(),
                     static_cast<int32_t>(prepared.text.size()), options, nullptr, &error);
  if (U_FAILURE(error)) return NotPreparable(error);

  Secret utf8 = Secret::Zeros(static_cast<size_t>(units) * 3);
  int32_t bytes = 0;
  u_strToUTF8(utf8.Bytes(), static_cast<int32_t>(utf8.size()), &bytes, prepared.text.data(), units,
              &error);
  if (U_FAILURE(error)) return NotPreparable(error);
  return Secret(utf8.Reveal().substr(0, static_cast<size_t>(bytes)));
}

}  // namespace

absl::StatusOr<std::string> PrepareStored(std::string_view text) {
  if (IsPrintableAscii(text)) return std::string(text);
  absl::StatusOr<Secret> prepared = PrepareByIcu(text, USPREP_DEFAULT);
  if (!prepared.ok()) return prepared.status();
  return std::string(prepared->Reveal());
}

absl::StatusOr<Secret> PreparePassword(std::string_view password) {
  if (password.size() > kMaxPasswordBytes) {
    return absl::InvalidArgumentError("longer than 1024 bytes");
  }
  // RFC 4616 s.2: NUL MUST NOT appear in passwd.
  if (password.find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError("holds a NUL byte");
  }
  if (password.empty()) return absl::InvalidArgumentError("is empty");
  if (IsPrintableAscii(password)) return Secret(password);
  absl::StatusOr<Secret> prepared = PrepareByIcu(password, USPREP_ALLOW_UNASSIGNED);
  if (prepared.ok() && prepared->empty()) {
    return absl::InvalidArgumentError("is empty after SASLprep");
  }
  return prepared;
}

}  // namespace sasld
