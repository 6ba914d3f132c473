#include "client/adapter/config.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sample_settings.h"

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
  EXPECT_TRUE(config->listen[0].access.admits_all());
  EXPECT_EQ(config->listen[0].trust, (Trust{true, true, true, true}));
  EXPECT_EQ(config->listen[0].temporary_failure, TemporaryFailureWay::kAuto);
  EXPECT_EQ(config->answer_within, absl::Seconds(4));
  EXPECT_EQ(config->fallback_mechanisms.mechanisms_size(), 3);
  EXPECT_EQ(config->log_level, "info");
}

// Whether all is the same but a listener's protocol and path, which have no default.
bool SameButForTheNames(const AdapterConfig& a, AdapterConfig b) {
  if (b.listen.size() != 1) return false;
  b.listen[0].protocol = a.listen.at(0).protocol;
  b.listen[0].socket.path = a.listen.at(0).socket.path;
  return a.server_addresses == b.server_addresses && a.server_tls == b.server_tls &&
         a.listen == b.listen &&
         a.fallback_mechanisms.SerializeAsString() == b.fallback_mechanisms.SerializeAsString() &&
         a.mechanisms_state_file == b.mechanisms_state_file && a.answer_within == b.answer_within &&
         a.idle == b.idle && a.metrics == b.metrics && a.log_level == b.log_level;
}

TEST(AdapterConfig, TheSampleIsTheDefaults) {
  const absl::StatusOr<AdapterConfig> sample = LoadAdapterConfig({SAMPLE_CONFIG});
  ASSERT_TRUE(sample.ok()) << sample.status();
  EXPECT_TRUE(SameButForTheNames(*sample, ParseAdapterConfig(kListen, "a.toml").value()));
}

// One at a time, so that a failure names the key.
TEST(AdapterConfig, EachSettingOfTheSampleIsItsDefault) {
  const AdapterConfig defaults = ParseAdapterConfig(kListen, "a.toml").value();
  const std::vector<SampleSetting> settings = SampleSettings(SAMPLE_CONFIG);
  ASSERT_GT(settings.size(), 10u);
  for (const SampleSetting& setting : settings) {
    if (setting.key == "protocol" || setting.key == "path" || setting.switched_off) continue;
    const bool in_listen = setting.header == "[[listen]]";
    const absl::StatusOr<AdapterConfig> config = ParseAdapterConfig(
        in_listen ? kListen + setting.line + "\n" : setting.text() + kListen, "sample");
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_TRUE(SameButForTheNames(*config, defaults)) << setting.text();
  }
}

ConfigEnvironment Given(const std::string& variable) {
  const char* const variables[] = {variable.c_str(), nullptr};
  return AdapterEnvironment(variables);
}

TEST(AdapterConfig, EachSettingOfTheSampleIsAVariableToo) {
  const AdapterConfig defaults = ParseAdapterConfig(kListen, "a.toml").value();
  for (const SampleSetting& setting : SampleSettings(SAMPLE_CONFIG)) {
    std::string path = setting.path();
    // Below an entry of [[listen]].
    if (setting.header == "[listen.backends]") path = "listen.0.backends." + setting.key;
    const std::string variable = Given("").NameOf(path);
    // Not hidden by what Kubernetes sets.
    EXPECT_FALSE(IsOfAService(variable, "tcp://192.0.2.1:4720")) << variable;
    const auto config = ParseAdapterConfig(kListen, "none", ListenRule::kNeeded,
                                           Given(variable + "=" + setting.value()));
    if (setting.switched_off) {  // an example for another protocol
      EXPECT_EQ(config.status().message(),
                "none:1: listen.backends: the protocol dovecot-auth takes nobody on to a backend")
          << variable;
      continue;
    }
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_TRUE(SameButForTheNames(*config, defaults)) << variable;
  }
}

TEST(AdapterConfig, VariablesMakeAnEntry) {
  const char* const variables[] = {
      "SASLD_ADAPTER_LISTEN_0_PROTOCOL=nginx-auth-http", "SASLD_ADAPTER_LISTEN_0_PATH=/run/nginx",
      "SASLD_ADAPTER_LISTEN_0_BACKENDS_SMTP=[::1]:25", "SASLD_STORE_URL=memory:", nullptr};
  const auto config =
      ParseAdapterConfig("", "none", ListenRule::kNeeded, AdapterEnvironment(variables));
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->listen.size(), 1u);
  EXPECT_EQ(config->listen[0].socket.path, "/run/nginx");
  EXPECT_EQ(config->listen[0].backends.smtp, (Backend{"::1", 25}));
  EXPECT_EQ(
      ParseAdapterConfig("", "none", ListenRule::kNeeded, Given("SASLD_ADAPTER_LISTEN_0_MODE=066"))
          .status()
          .message(),
      "SASLD_ADAPTER_LISTEN_0_PROTOCOL: is missing\n"
      "SASLD_ADAPTER_LISTEN_0_PATH: is missing\n"
      "SASLD_ADAPTER_LISTEN_0_MODE: \"066\" is not an octal mode such as \"0660\"");
}

TEST(AdapterConfig, MetricsAreServedWhereItIsSaid) {
  EXPECT_TRUE(ParseAdapterConfig(kListen, "a.toml")->metrics.off());
  const auto config =
      ParseAdapterConfig(std::string("[metrics]\nlisten = \"127.0.0.1:9465\"\n") + kListen, "a");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->metrics.port, 9465);
  EXPECT_EQ(ErrorOf("[metrics]\nlisten = \"9465\"\n"),
            "a.toml:2: metrics.listen: \"9465\" is neither an IP address with a port such as "
            "\"127.0.0.1:9464\" nor \"unix:/path\"");
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
allow_users = ["root", "4711"]
allow_groups = ["4712", "root"]
trust = ["address"]
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
  EXPECT_EQ(config->listen[0].access, (AccessRule{{0, 4711}, {4712, 0}}));
  EXPECT_EQ(config->listen[0].trust, (Trust{true, false, false, false}));
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
            "a.toml:2: log.level: \"loud\" is none of debug, info, warn, error");
  EXPECT_NE(ErrorOf("[limits]\nanswer_within = \"20s\"\n").find("a.toml:2: limits.answer_within: "),
            std::string::npos);
  EXPECT_NE(ErrorOf("[limit]\n").find("a.toml:1: limit: unknown key"), std::string::npos);
}

TEST(AdapterConfig, TakesTheLogLevelsThatSasldTakes) {
  for (std::string level : {"debug", "info", "warn", "error"}) {
    EXPECT_EQ(ErrorOf("[log]\nlevel = \"" + level + "\"\n"), "");
  }
  EXPECT_NE(ErrorOf("[log]\nlevel = \"warning\"\n"), "");
}

constexpr char kNginx[] = "[[listen]]\nprotocol = \"nginx-auth-http\"\npath = \"/run/nginx\"\n";

TEST(AdapterConfig, ReadsBackends) {
  absl::StatusOr<AdapterConfig> config = ParseAdapterConfig(
      std::string(kNginx) +
          "[listen.backends]\nimap = \"127.0.0.1:143\"\nsmtp = \"[2001:db8::7]:25\"\n" + kListen,
      "a.toml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen[0].backends, (Backends{{"127.0.0.1", 143}, {}, {"2001:db8::7", 25}}));
  EXPECT_EQ(config->listen[1].backends, Backends());
}

TEST(AdapterConfig, NamesMistakesInBackends) {
  auto error_of = [](const std::string& text) {
    return std::string(ParseAdapterConfig(text, "a.toml").status().message());
  };
  const std::string needs =
      "listen.backends: the protocol nginx-auth-http needs one of imap, pop3, smtp, such as imap = "
      "\"127.0.0.1:143\"";
  EXPECT_EQ(error_of(kNginx), "a.toml:1: " + needs);
  EXPECT_EQ(error_of(std::string(kNginx) + "[listen.backends]\n"), "a.toml:4: " + needs);
  EXPECT_EQ(error_of(std::string(kListen) + "[listen.backends]\nimap = \"127.0.0.1:143\"\n"),
            "a.toml:4: listen.backends: the protocol dovecot-auth takes nobody on to a backend");
  EXPECT_EQ(
      error_of(std::string(kNginx) + "[listen.backends]\nimap = \"127.0.0.1:143\"\nsmtpd = 1\n"),
      "a.toml:6: listen.backends.smtpd: unknown key; did you mean \"smtp\"?");
  for (const char* wrong :
       {"127.0.0.1", "localhost:143", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:", ":143",
        "::1:143", "[::1]", "[::1", "[127.0.0.1]:143", "[fe80::1%eth0]:143", "127.0.0.1:+1",
        "127.0.0.1:143 ", "[]:143", "unix:/run/imap"}) {
    EXPECT_EQ(error_of(std::string(kNginx) + "[listen.backends]\nimap = \"" + wrong + "\"\n"),
              std::string("a.toml:5: listen.backends.imap: \"") + wrong +
                  "\" is no IP address with a port such as \"127.0.0.1:143\"");
  }
}

TEST(AdapterConfig, NamesMistakesInListeners) {
  auto error_of = [](const std::string& text) {
    return std::string(ParseAdapterConfig("[[listen]]\n" + text, "a.toml").status().message());
  };
  EXPECT_EQ(error_of("protocol = \"smtp\"\npath = \"/a\"\n"),
            "a.toml:2: listen.protocol: \"smtp\" is none of: dovecot-auth, dovecot-login, "
            "dovecot-master, dovecot-userdb, saslauthd, nginx-auth-http");
  EXPECT_EQ(error_of("protocol = \"dovecot-auth\"\npath = \"private/auth\"\n"),
            "a.toml:3: listen.path: \"private/auth\" is not an absolute path");
  EXPECT_EQ(error_of("protocol = \"dovecot-auth\"\n"), "a.toml:1: listen.path: is missing");
  EXPECT_EQ(error_of("protocol = \"dovecot-auth\"\npath = \"/a\"\ntemporary_failure = \"x\"\n"),
            "a.toml:4: listen.temporary_failure: \"x\" is none of \"auto\", \"close\", \"fail\"");
  const std::string good = "protocol = \"dovecot-auth\"\npath = \"/a\"\n";
  EXPECT_EQ(error_of(good + "allow_users = [\"root\", \"no-such-user-here\"]\n"),
            "a.toml:4: listen.allow_users: \"no-such-user-here\" is no user of this system");
  EXPECT_EQ(error_of(good + "allow_groups = [\"no-such-group-here\"]\n"),
            "a.toml:4: listen.allow_groups: \"no-such-group-here\" is no group of this system");
  EXPECT_EQ(error_of(good + "allow_users = [\"\"]\n"),
            "a.toml:4: listen.allow_users: \"\" is no user of this system");
  EXPECT_EQ(error_of(good + "trust = [\"adress\"]\n"),
            "a.toml:4: listen.trust: \"adress\" is none of \"address\", \"secured\", "
            "\"certificate\", \"channel-binding\"");
  EXPECT_EQ(error_of(std::string("protocol = \"dovecot-auth\"\npath = \"/run/auth\"\n") + kListen),
            "a.toml:6: listen.path: \"/run/auth\" is listened on twice");
  EXPECT_EQ(ParseAdapterConfig("", "a.toml").status().message(),
            "a.toml:1: listen: there is no [[listen]] with protocol and path, so nothing to do");
}

}  // namespace
}  // namespace sasld
