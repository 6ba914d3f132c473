#include "proto/common/metrics_address.h"

#include <arpa/inet.h>

#include <charconv>
#include <utility>

#include "proto/common/unix_socket.h"

namespace sasld {
namespace {

// "127.0.0.1:9464" or "[::1]:9464". Names are not looked up: which of its addresses would it be?
bool TakeIpAndPort(std::string_view text, MetricsAddress& address) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view ip = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool is_v6 = ip.size() > 2 && ip.front() == '[' && ip.back() == ']';
  if (is_v6) ip = ip.substr(1, ip.size() - 2);
  address.ip = std::string(ip);
  in6_addr room;  // for either kind
  if (inet_pton(is_v6 ? AF_INET6 : AF_INET, address.ip.c_str(), &room) != 1) return false;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), address.port);
  return error == std::errc() && end == digits.end() && address.port != 0;
}

}  // namespace

MetricsAddress ReadMetrics(TomlTable metrics) {
  MetricsAddress address;
  address.text = metrics.String("listen", "");
  if (address.off()) return address;
  if (absl::StatusOr<std::string> path = UnixSocketPath(address.text); path.ok()) {
    address.unix_path = *std::move(path);
  } else if (!TakeIpAndPort(address.text, address)) {
    metrics.Reject("listen", "\"" + address.text +
                                 "\" is neither an IP address with a port such as "
                                 "\"127.0.0.1:9464\" nor \"unix:/path\"");
    return {};
  }
  return address;
}

}  // namespace sasld
