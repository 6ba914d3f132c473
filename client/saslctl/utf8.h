// Whether text can go into a message's string fields, which hold UTF-8 only.
#pragma once

#include <string_view>

namespace sasld::saslctl {

bool IsUtf8(std::string_view text);

}  // namespace sasld::saslctl
