// Addresses and networks of IP, as text and for comparison. An IPv4-mapped IPv6 address (RFC 4291
// section 2.5.5.2) is the IPv4 address that it maps: one client, whichever socket it came in by.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace sasld {

class IpAddress {
 public:
  // "192.0.2.7" or "2001:db8::7", without brackets or zone. Nothing: it is neither.
  static std::optional<IpAddress> Parse(std::string_view text);

  bool is_ipv4() const { return is_ipv4_; }
  // 127.0.0.0/8 and ::1.
  bool IsLoopback() const;
  // 32 or 128.
  int bits() const { return is_ipv4_ ? 32 : 128; }
  // As inet_ntop prints it: one text for one address.
  std::string str() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const IpAddress& address) {
    return H::combine(std::move(state), address.bytes_, address.is_ipv4_);
  }

 private:
  friend class Network;
  // What `length` leaves of it; the rest is 0.
  IpAddress Prefix(int length) const;

  std::array<uint8_t, 16> bytes_ = {};  // in network order; of IPv4 the first four
  bool is_ipv4_ = false;
};

class Network {
 public:
  // "192.0.2.0/24", "2001:db8::/32", or an address alone. InvalidArgument: not a network, or an
  // address inside of one; the text goes on after what was given: "… is not a network such as …".
  static absl::StatusOr<Network> Parse(std::string_view text);
  // The one of this prefix length that `address` is in; 0 to address.bits().
  static Network Around(const IpAddress& address, int prefix_length);

  // Never of the other family: not even 0.0.0.0/0 and ::/0 contain each other's addresses.
  bool Contains(const IpAddress& address) const;
  // As Parse() takes it, without the prefix length where it is an address alone.
  std::string str() const;

  friend bool operator==(const Network&, const Network&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const Network& network) {
    return H::combine(std::move(state), network.first_, network.prefix_length_);
  }

 private:
  Network(const IpAddress& first, int prefix_length)
      : first_(first), prefix_length_(static_cast<uint8_t>(prefix_length)) {}

  IpAddress first_;
  uint8_t prefix_length_;
};

}  // namespace sasld
