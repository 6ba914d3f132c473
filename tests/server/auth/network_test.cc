#include "server/auth/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/container/flat_hash_set.h"

namespace sasld {
namespace {

using testing::HasSubstr;

IpAddress Address(std::string_view text) {
  const std::optional<IpAddress> address = IpAddress::Parse(text);
  EXPECT_TRUE(address.has_value()) << text;
  return address.value_or(IpAddress());
}

Network MustParse(std::string_view text) {
  const absl::StatusOr<Network> network = Network::Parse(text);
  EXPECT_TRUE(network.ok()) << text << ": " << network.status();
  return network.ok() ? *network : Network::Around(IpAddress(), 0);
}

std::string ErrorOf(std::string_view text) {
  return std::string(Network::Parse(text).status().message());
}

TEST(IpAddress, IsReadAndPrintedInBothFamilies) {
  EXPECT_EQ(Address("192.0.2.7").str(), "192.0.2.7");
  EXPECT_TRUE(Address("192.0.2.7").is_ipv4());
  EXPECT_EQ(Address("192.0.2.7").bits(), 32);
  EXPECT_EQ(Address("2001:DB8:0::7").str(), "2001:db8::7");
  EXPECT_FALSE(Address("2001:db8::7").is_ipv4());
  EXPECT_EQ(Address("::").bits(), 128);
  EXPECT_EQ(Address("2001:db8:1111:2222:3333:4444:5555:6666").str(),
            "2001:db8:1111:2222:3333:4444:5555:6666");
}

TEST(IpAddress, MappedOnesAreIpv4) {
  EXPECT_EQ(Address("::ffff:192.0.2.7"), Address("192.0.2.7"));
  EXPECT_EQ(Address("::FFFF:c000:0207"), Address("192.0.2.7"));
  // Neither of these is mapped.
  EXPECT_FALSE(Address("::192.0.2.7").is_ipv4());
  EXPECT_FALSE(Address("::fffe:192.0.2.7").is_ipv4());
  EXPECT_FALSE(Address("64:ff9b::192.0.2.7").is_ipv4());
}

TEST(IpAddress, LoopbackIsTold) {
  for (const char* text : {"127.0.0.1", "127.255.255.254", "::1", "0:0::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(IpAddress::Parse(text)->IsLoopback()) << text;
  }
  for (const char* text :
       {"128.0.0.1", "12.7.0.1", "::", "::2", "::127.0.0.1", "7f00::1", "2001:db8::1"}) {
    EXPECT_FALSE(IpAddress::Parse(text)->IsLoopback()) << text;
  }
}

TEST(IpAddress, TheFirstBytesDoNotMakeItAnother) {
  // 32.1.13.184 and 2001:db8:: begin with the same four bytes.
  EXPECT_NE(Address("32.1.13.184"), Address("2001:db8::"));
  EXPECT_NE(Address("0.0.0.0"), Address("::"));
}

TEST(IpAddress, OthersAreNone) {
  for (const std::string_view text :
       {"", " ", "192.0.2", "192.0.2.256", "192.0.2.07", "192.0.2.7 ", "192.0.2.7:25", "1.2.3.4.5",
        "[2001:db8::7]", "fe80::1%eth0", "2001:db8::7::", "12345::", "localhost", "unix:/run/x",
        "192.0.2.7/32", "2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999"}) {
    EXPECT_FALSE(IpAddress::Parse(text).has_value()) << text;
  }
  EXPECT_FALSE(IpAddress::Parse(std::string_view("192.0.2.7\0", 10)).has_value());
  EXPECT_FALSE(IpAddress::Parse(std::string_view("::\0x", 4)).has_value());
  EXPECT_FALSE(IpAddress::Parse("127.0.0.1\xff").has_value());
}

TEST(Network, ContainsWhatItsPrefixSays) {
  const Network small = MustParse("192.0.2.64/26");
  EXPECT_TRUE(small.Contains(Address("192.0.2.64")));
  EXPECT_TRUE(small.Contains(Address("192.0.2.127")));
  EXPECT_FALSE(small.Contains(Address("192.0.2.63")));
  EXPECT_FALSE(small.Contains(Address("192.0.2.128")));
  EXPECT_FALSE(small.Contains(Address("192.0.3.64")));
  EXPECT_TRUE(small.Contains(Address("::ffff:192.0.2.100")));

  const Network large = MustParse("2001:db8::/33");
  EXPECT_TRUE(large.Contains(Address("2001:db8:7fff:ffff:ffff:ffff:ffff:ffff")));
  EXPECT_FALSE(large.Contains(Address("2001:db8:8000::")));
  EXPECT_FALSE(large.Contains(Address("2001:db9::")));

  EXPECT_TRUE(MustParse("192.0.2.7").Contains(Address("192.0.2.7")));
  EXPECT_FALSE(MustParse("192.0.2.7").Contains(Address("192.0.2.6")));
  EXPECT_TRUE(MustParse("::1/128").Contains(Address("::1")));
  EXPECT_FALSE(MustParse("::1/128").Contains(Address("::3")));
}

TEST(Network, OfLengthNothingHasAllOfItsFamilyOnly) {
  EXPECT_TRUE(MustParse("0.0.0.0/0").Contains(Address("203.0.113.9")));
  EXPECT_FALSE(MustParse("0.0.0.0/0").Contains(Address("::1")));
  EXPECT_TRUE(MustParse("::/0").Contains(Address("ffff::1")));
  EXPECT_FALSE(MustParse("::/0").Contains(Address("0.0.0.1")));
  EXPECT_FALSE(MustParse("::/0").Contains(Address("::ffff:192.0.2.7")));
}

TEST(Network, MappedOnesAreIpv4) {
  EXPECT_EQ(MustParse("::ffff:192.0.2.0/120"), MustParse("192.0.2.0/24"));
  EXPECT_EQ(MustParse("::ffff:0.0.0.0/96"), MustParse("0.0.0.0/0"));
  EXPECT_EQ(MustParse("::ffff:192.0.2.7"), MustParse("192.0.2.7"));
  EXPECT_THAT(ErrorOf("::ffff:0:0/95"), HasSubstr("is not a network"));
  EXPECT_THAT(ErrorOf("::ffff:192.0.2.0/24"), HasSubstr("is not a network"));
}

TEST(Network, IsPrintedAsItIsRead) {
  for (const std::string_view text :
       {"192.0.2.0/24", "0.0.0.0/0", "10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::/0", "::1",
        "2001:db8:1:2::/64", "fe80::/10", "128.0.0.0/1"}) {
    EXPECT_EQ(MustParse(text).str(), text);
  }
  EXPECT_EQ(MustParse("192.0.2.7/32").str(), "192.0.2.7");
  EXPECT_EQ(MustParse("::1/128").str(), "::1");
}

TEST(Network, OthersAreNone) {
  for (const std::string_view text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
        "10.0.0.0/8 ", "10.0.0.0/ 8", "10.0.0.0/8/8", "10.0.0.0/99999999999", "10/8",
        "10.0.0.0/255.0.0.0", "::/129", "::/x", "example.org/8"}) {
    EXPECT_EQ(ErrorOf(text), R"(is not a network such as "192.0.2.0/24")") << text;
  }
}

// "10.1.2.3/8" is a slip: of the address, or of the length.
TEST(Network, AnAddressInsideIsToldItsNetwork) {
  EXPECT_EQ(ErrorOf("10.1.2.3/8"),
            R"(is an address inside of a network; the network is "10.0.0.0/8")");
  EXPECT_THAT(ErrorOf("192.0.2.1/31"), HasSubstr("\"192.0.2.0/31\""));
  EXPECT_THAT(ErrorOf("2001:db8::1/64"), HasSubstr("\"2001:db8::/64\""));
}

TEST(Network, AroundAnAddressIsWhatContainsIt) {
  EXPECT_EQ(Network::Around(Address("2001:db8:1:2:3:4:5:6"), 64), MustParse("2001:db8:1:2::/64"));
  EXPECT_EQ(Network::Around(Address("192.0.2.7"), 32), MustParse("192.0.2.7"));
  for (const char* text : {"192.0.2.255", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    const IpAddress address = Address(text);
    absl::flat_hash_set<Network> around;
    for (int length = 0; length <= address.bits(); ++length) {
      const Network network = Network::Around(address, length);
      EXPECT_TRUE(network.Contains(address)) << network.str();
      EXPECT_EQ(MustParse(network.str()), network);
      around.insert(network);
    }
    EXPECT_EQ(around.size(), static_cast<size_t>(address.bits()) + 1) << "two are equal";
  }
}

}  // namespace
}  // namespace sasld
