#include "client/adapter/ip_text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace sasld {

std::string_view IpAddressIn(std::string_view text) {
  text = text.substr(0, text.find('%'));
  std::array<char, INET6_ADDRSTRLEN> name{};
  // What follows a NUL would go unseen below, and pass on.
  if (text.size() >= name.size() || text.find('\0') != std::string_view::npos) return {};
  std::copy(text.begin(), text.end(), name.begin());
  std::array<unsigned char, sizeof(in6_addr)> bytes;
  const int family = text.find(':') == std::string_view::npos ? AF_INET : AF_INET6;
  return inet_pton(family, name.data(), bytes.data()) == 1 ? text : std::string_view();
}

}  // namespace sasld
