// IP addresses as text, in what mail servers tell of their clients.
#pragma once

#include <string_view>

namespace sasld {

// `text` without its zone ("%eth0") if it is an IPv4 or IPv6 address; else empty.
std::string_view IpAddressIn(std::string_view text);

}  // namespace sasld
