#include "client/saslctl/saslprep.h"

#include <openssl/crypto.h>
#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include <memory>
#include <vector>

namespace sasld::saslctl {

std::string Prepared(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UStringPrepProfile, decltype(&usprep_close)> profile(
      usprep_openByType(USPREP_RFC4013_SASLPREP, &error), &usprep_close);
  // Compatibility forms grow to at most 18 code points; UTF-16 takes two units for each.
  std::vector<UChar> wide(text.size() + 1);
  std::vector<UChar> prepared(text.size() * 36 + 1);
  std::string result(prepared.size() * 3, '\0');
  int32_t size = 0;
  u_strFromUTF8(wide.data(), static_cast<int32_t>(wide.size()), &size, text.data(),
                static_cast<int32_t>(text.size()), &error);
  size = usprep_prepare(profile.get(), wide.data(), size, prepared.data(),
                        static_cast<int32_t>(prepared.size()), USPREP_ALLOW_UNASSIGNED, nullptr,
                        &error);
  u_strToUTF8(result.data(), static_cast<int32_t>(result.size()), &size, prepared.data(), size,
              &error);
  OPENSSL_cleanse(wide.data(), wide.size() * sizeof(UChar));
  OPENSSL_cleanse(prepared.data(), prepared.size() * sizeof(UChar));
  if (U_FAILURE(error)) return std::string(text);
  result.resize(static_cast<size_t>(size));
  return result;
}

Password PreparedPassword(const Password& password) {
  std::string prepared = Prepared(password.Reveal());
  Password result(prepared);
  Wipe(prepared);
  return result;
}

}  // namespace sasld::saslctl
