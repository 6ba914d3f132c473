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

bool IsUtf8(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  u_strFromUTF8(nullptr, 0, nullptr, text.data(), static_cast<int32_t>(text.size()), &error);
  return error != U_INVALID_CHAR_FOUND && error != U_ILLEGAL_CHAR_FOUND;
}

// Windows-1252 from 0x80 to 0x9f; elsewhere it is ISO 8859-1. 0: no character.
constexpr char16_t kWindows1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

// As UTF-8; empty if a byte is no character there.
Secret FromWindows1252(std::string_view bytes) {
  Utf16 wide(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    wide.text[i] = byte >= 0x80 && byte < 0xa0 ? kWindows1252[byte - 0x80] : byte;
    if (wide.text[i] == 0) return {};
  }
  // Three bytes a character at most.
  Secret utf8 = Secret::Zeros(3 * bytes.size());
  UErrorCode error = U_ZERO_ERROR;
  int32_t size = 0;
  u_strToUTF8(utf8.Bytes(), static_cast<int32_t>(utf8.size()), &size, wide.text.data(),
              static_cast<int32_t>(bytes.size()), &error);
  if (U_FAILURE(error)) return {};
  return Secret(utf8.Reveal().substr(0, static_cast<size_t>(size)));
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

absl::StatusOr<Secret> PrepareClientPassword(std::string_view bytes) {
  // A longer one is refused below, before anything is done with it.
  if (bytes.size() > kMaxPasswordBytes || IsUtf8(bytes)) return PreparePassword(bytes);
  const Secret utf8 = FromWindows1252(bytes);
  if (utf8.empty()) return absl::InvalidArgumentError("neither UTF-8 nor Windows-1252");
  return PreparePassword(utf8.Reveal());
}

}  // namespace sasld
