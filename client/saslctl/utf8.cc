#include "client/saslctl/utf8.h"

#include <unicode/ustring.h>

#include <cstdint>

namespace sasld::saslctl {

bool IsUtf8(std::string_view text) {
  // Without a destination it only counts, and tells what it cannot read.
  int32_t units = 0;
  UErrorCode error = U_ZERO_ERROR;
  u_strFromUTF8(nullptr, 0, &units, text.data(), static_cast<int32_t>(text.size()), &error);
  return error != U_INVALID_CHAR_FOUND;
}

}  // namespace sasld::saslctl
