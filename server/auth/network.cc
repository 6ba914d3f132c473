#include "server/auth/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sasld {
namespace {

constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kMappedBits = 96;

// The first bytes of `address`; false if `text` is none of this family.
bool ReadBytes(int family, std::string_view text, uint8_t* address) {
  char terminated[INET6_ADDRSTRLEN] = {};
  if (text.size() >= sizeof terminated || text.find('\0') != text.npos) return false;
  std::copy(text.begin(), text.end(), terminated);
  return inet_pton(family, terminated, address) == 1;
}

// 0 to `most`, in the one way to write it.
std::optional<int> ReadPrefixLength(std::string_view text, int most) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  unsigned length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (length > static_cast<unsigned>(most)) return std::nullopt;
  return static_cast<int>(length);
}

absl::Status NotANetwork() {
  return absl::InvalidArgumentError(R"(is not a network such as "192.0.2.0/24")");
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  IpAddress address;
  if (ReadBytes(AF_INET, text, address.bytes_.data())) {
    address.is_ipv4_ = true;
    return address;
  }
  if (!ReadBytes(AF_INET6, text, address.bytes_.data())) return std::nullopt;
  if (!std::equal(kMapped.begin(), kMapped.end(), address.bytes_.begin())) return address;
  IpAddress mapped;
  mapped.is_ipv4_ = true;
  std::copy(address.bytes_.begin() + kMapped.size(), address.bytes_.end(), mapped.bytes_.begin());
  return mapped;
}

bool IpAddress::IsLoopback() const {
  if (is_ipv4_) return bytes_[0] == 127;
  constexpr std::array<uint8_t, 16> kLoopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return bytes_ == kLoopback;
}

std::string IpAddress::str() const {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(is_ipv4_ ? AF_INET : AF_INET6, bytes_.data(), text, sizeof text);
}

IpAddress IpAddress::Prefix(int length) const {
  IpAddress prefix = *this;
  for (int byte = 0; byte < static_cast<int>(bytes_.size()); ++byte) {
    const int kept = std::clamp(length - 8 * byte, 0, 8);
    prefix.bytes_[static_cast<size_t>(byte)] &= static_cast<uint8_t>(0xff00 >> kept);
  }
  return prefix;
}

absl::StatusOr<Network> Network::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view address_text = text.substr(0, slash);
  const std::optional<IpAddress> address = IpAddress::Parse(address_text);
  if (!address) return NotANetwork();
  if (slash == text.npos) return Network(*address, address->bits());

  // Of a mapped address the length counts the 96 bits that make it one.
  const bool mapped = address->is_ipv4() && address_text.find(':') != address_text.npos;
  std::optional<int> length =
      ReadPrefixLength(text.substr(slash + 1), mapped ? 128 : address->bits());
  if (length && mapped) length = *length - kMappedBits;
  if (!length || *length < 0) return NotANetwork();
  const Network network = Around(*address, *length);
  if (network.first_ == *address) return network;
  return absl::InvalidArgumentError(
      absl::StrCat("is an address inside of a network; the network is \"", network.str(), "\""));
}

Network Network::Around(const IpAddress& address, int prefix_length) {
  return Network(address.Prefix(prefix_length), prefix_length);
}

bool Network::Contains(const IpAddress& address) const {
  return address.Prefix(prefix_length_) == first_;
}

std::string Network::str() const {
  if (prefix_length_ == first_.bits()) return first_.str();
  return absl::StrCat(first_.str(), "/", prefix_length_);
}

}  // namespace sasld
