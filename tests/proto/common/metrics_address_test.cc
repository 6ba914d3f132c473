#include "proto/common/metrics_address.h"

#include <gtest/gtest.h>

namespace sasld {
namespace {

absl::StatusOr<MetricsAddress> Read(const std::string& listen) {
  auto document = TomlDocument::Parse("[metrics]\nlisten = \"" + listen + "\"\n", "a.toml");
  if (!document.ok()) return document.status();
  MetricsAddress address = ReadMetrics(document->Root().Table("metrics"));
  if (absl::Status finished = document->Finish(); !finished.ok()) return finished;
  return address;
}

TEST(MetricsAddress, EmptyIsOff) {
  EXPECT_TRUE(Read("")->off());
  EXPECT_FALSE(Read("127.0.0.1:9464")->off());
}

TEST(MetricsAddress, IsAnIpAddressWithAPortOrAUnixSocket) {
  EXPECT_EQ(Read("127.0.0.1:9464")->ip, "127.0.0.1");
  EXPECT_EQ(Read("127.0.0.1:9464")->port, 9464);
  EXPECT_EQ(Read("[::]:65535")->ip, "::");
  EXPECT_EQ(Read("[::]:65535")->port, 65535);
  EXPECT_EQ(Read("unix:/run/m.sock")->unix_path, "/run/m.sock");
  EXPECT_EQ(Read("unix:/run/m.sock")->ip, "");
}

TEST(MetricsAddress, AnythingElseIsToldWithALine) {
  for (const std::string bad :
       {"localhost:9464", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
        "127.0.0.1:65536", "127.0.0.1:94a", "127.0.0.1:+94", "::1:9464", "[127.0.0.1]:9464", "[]:1",
        "[::1]", "unix:", "http://127.0.0.1:9464", " 127.0.0.1:9464"}) {
    EXPECT_EQ(Read(bad).status().message(),
              "a.toml:2: metrics.listen: \"" + bad +
                  "\" is neither an IP address with a port such as \"127.0.0.1:9464\" nor "
                  "\"unix:/path\"");
  }
}

}  // namespace
}  // namespace sasld
