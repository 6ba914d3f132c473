#include "client/adapter/config.h"

#include <gtest/gtest.h>

#include <string>

namespace sasld {
namespace {

constexpr char kListen[] = "[[listen]]\nprotocol = \"dovecot-auth\"\npath = \"/run/auth\"\n";

// The error of kListen with `text` after it, or "" if there is none.
std::string ErrorOf(const std::string& text) {
  return std::string(ParseAdapterConfig(text + kListen, "a.toml").status().message());
}

TEST(AdapterConfig, HasDefaults) {
  absl::StatusOr<AdapterConfig> config = ParseAdapterConfig(kListen, "a.toml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->server_addresses, std::vector<std::string>{"unix:/run/sasld/sasl.sock"});
  ASSERT_EQ(config->listen.size(), 1u);
  EXPECT_EQ(config->listen[0].protocol->name, "dovecot-auth");
  EXPECT_EQ(config->listen[0].socket.path, "/run/auth");
  EXPECT_EQ(config->listen[0].socket.mode, 0660u);
  EXPECT_EQ(config->listen[0].max_connections, 10000u);
  EXPECT_EQ(config->listen[0].temporary_failure, TemporaryFailureWay::kAuto);
  EXPECT_EQ(config->answer_within, absl::Seconds(4));
  EXPECT_EQ(config->fallback_mechanisms.mechanisms_size(), 3);
  EXPECT_EQ(config->log_level, "info");
}

TEST(AdapterConfig, SampleIsValidAndHasTheDefaults) {
  absl::StatusOr<AdapterConfig> config = LoadAdapterConfig(SAMPLE_CONFIG);
  ASSERT_TRUE(config.ok()) << config.status();
  AdapterConfig defaults = ParseAdapterConfig(kListen, "a.toml").value();
  EXPECT_EQ(config->server_addresses, defaults.server_addresses);
  EXPECT_EQ(config->answer_within, defaults.answer_within);
  EXPECT_EQ(config->idle, defaults.idle);
  EXPECT_EQ(config->log_level, defaults.log_level);
  EXPECT_EQ(config->fallback_mechanisms.SerializeAsString(),
            defaults.fallback_mechanisms.SerializeAsString());
}

TEST(AdapterConfig, ReadsEveryKey) {
  absl::StatusOr<AdapterConfig> config = ParseAdapterConfig(R"(
[server]
addresses = ["unix:/a", "sasld.example:7777", "[::1]:7777"]
[server.tls]
ca = "/ca"
certificate = "/certificate"
key = "/key"
[[listen]]
protocol = "dovecot-auth"
path = "/b"
mode = "0600"
owner = "postfix"
group = "mail"
temporary_failure = "close"
max_connections = 7
[limits]
answer_within = "3s"
idle = "10m"
[mechanisms]
fallback = ["LOGIN plaintext"]
state_file = "/c"
[log]
level = "debug"
)",
                                                            "a.toml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->server_addresses.size(), 3u);
  EXPECT_EQ(config->server_tls, (TlsFiles{"/ca", "/certificate", "/key"}));
  EXPECT_EQ(config->listen[0].socket.mode, 0600u);
  EXPECT_EQ(config->listen[0].socket.owner, "postfix");
  EXPECT_EQ(config->listen[0].socket.group, "mail");
  EXPECT_EQ(config->listen[0].temporary_failure, TemporaryFailureWay::kClose);
  EXPECT_EQ(config->listen[0].max_connections, 7u);
  EXPECT_EQ(config->answer_within, absl::Seconds(3));
  EXPECT_EQ(config->idle, absl::Minutes(10));
  EXPECT_EQ(config->fallback_mechanisms.mechanisms_size(), 1);
  EXPECT_EQ(config->mechanisms_state_file, "/c");
  EXPECT_EQ(config->log_level, "debug");
}

TEST(AdapterConfig, NamesTheMistakeAndItsLine) {
  EXPECT_EQ(
      ErrorOf("[server]\naddresses = [\"localhost\"]\n"),
      "a.toml:2: server.addresses: \"localhost\" is neither \"unix:/path\" nor \"host:port\"");
  EXPECT_EQ(ErrorOf("[server]\naddresses = [\"h:1\"]\n"),
            "a.toml:2: server.addresses: a server on TCP needs [server.tls] with ca, certificate "
            "and key: "
            "passwords pass here");
  EXPECT_EQ(ErrorOf("[server]\naddresses = []\n"),
            "a.toml:2: server.addresses: is empty; at least one server is needed");
  EXPECT_EQ(ErrorOf("[mechanisms]\nfallback = [\"PLAIN plain\"]\n"),
            "a.toml:2: mechanisms.fallback: \"plain\" is not a property of a mechanism such as "
            "\"plaintext\"");
  EXPECT_EQ(
      ErrorOf("[mechanisms]\nfallback = [\"APOP private\"]\n"),
      "a.toml:2: mechanisms.fallback: offers no mechanism; Postfix would not even start a session");
  EXPECT_EQ(ErrorOf("[log]\nlevel = \"loud\"\n"),
            "a.toml:2: log.level: \"loud\" is none of \"debug\", \"info\", \"warning\", \"error\"");
  EXPECT_NE(ErrorOf("[limits]\nanswer_within = \"20s\"\n").find("a.toml:2: limits.answer_within: "),
            std::string::npos);
  EXPECT_NE(ErrorOf("[limit]\n").find("a.toml:1: limit: unknown key"), std::string::npos);
}

TEST(AdapterConfig, NamesMistakesInListeners) {
  auto error_of = [](const std::string& text) {
    return std::string(ParseAdapterConfig("[[listen]]\n" + text, "a.toml").status().message());
  };
  EXPECT_EQ(error_of("protocol = \"smtp\"\npath = \"/a\"\n"),
            "a.toml:2: listen.protocol: \"smtp\" is none of: dovecot-auth");
  EXPECT_EQ(error_of("protocol = \"dovecot-auth\"\npath = \"private/auth\"\n"),
            "a.toml:3: listen.path: \"private/auth\" is not an absolute path");
  EXPECT_EQ(error_of("protocol = \"dovecot-auth\"\n"), "a.toml:1: listen.path: is missing");
  EXPECT_EQ(error_of("protocol = \"dovecot-auth\"\npath = \"/a\"\ntemporary_failure = \"x\"\n"),
            "a.toml:4: listen.temporary_failure: \"x\" is none of \"auto\", \"close\", \"fail\"");
  EXPECT_EQ(error_of(std::string("protocol = \"dovecot-auth\"\npath = \"/run/auth\"\n") + kListen),
            "a.toml:6: listen.path: \"/run/auth\" is listened on twice");
  EXPECT_EQ(ParseAdapterConfig("", "a.toml").status().message(),
            "a.toml:1: listen: there is no [[listen]] with protocol and path, so nothing to do");
}

}  // namespace
}  // namespace sasld
