#include "server/auth/app_passwords.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "proto/common/readable_signs.h"
#include "server/sasl/hash.h"

namespace sasld {
namespace {

constexpr size_t kSigns = kReadableGroups * kReadableGroupLength;
constexpr size_t kShownBytes = kSigns + kReadableGroups - 1;
constexpr size_t kIdSigns = 8;

// Signs put into their groups.
class ShownText {
 public:
  size_t signs() const { return signs_; }
  void Add(char sign) {
    if (signs_ > 0 && signs_ % kReadableGroupLength == 0) text_.Bytes()[end_++] = '-';
    text_.Bytes()[end_++] = sign;
    ++signs_;
  }
  Secret Take() { return std::move(text_); }

 private:
  Secret text_ = Secret::Zeros(kShownBytes);
  size_t end_ = 0;
  size_t signs_ = 0;
};

}  // namespace

Secret GenerateAppPassword(Entropy& entropy) {
  const Secret random = entropy.SecretBytes(kSigns);
  ShownText text;
  for (const char byte : random.Reveal()) text.Add(ReadableSign(byte));
  return text.Take();
}

std::string GenerateAppPasswordId(const Account& account, Entropy& entropy) {
  std::string id;
  do {
    id = entropy.Bytes(kIdSigns);
    for (char& byte : id) byte = ReadableSign(byte);
  } while (HasCredential(account, id));
  return id;
}

std::optional<Secret> AppPasswordAsShown(std::string_view typed) {
  ShownText text;
  for (const char c : typed) {
    if (c == '-' || c == ' ') continue;
    const char sign = absl::ascii_tolower(static_cast<unsigned char>(c));
    if (text.signs() == kSigns || kReadableSigns.find(sign) == kReadableSigns.npos)
      return std::nullopt;
    text.Add(sign);
  }
  if (text.signs() != kSigns) return std::nullopt;
  return text.Take();
}

Secret AppPasswordLookup(const Secret& key, const Secret& as_shown) {
  return Hmac(Hash::kSha256, key.Reveal(), as_shown.Reveal());
}

const AppPassword* FindByLookup(const Account& account, const Secret& lookup) {
  const AppPassword* found = nullptr;
  for (const AppPassword& one : account.app_passwords) {
    if (EqualsConstantTime(one.lookup.Reveal(), lookup.Reveal())) found = &one;
  }
  return found;
}

}  // namespace sasld
