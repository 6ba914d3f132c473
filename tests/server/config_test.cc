#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace sasld {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string ErrorOf(std::string_view text) {
  const auto config = ParseServerConfig(text, "sasld.toml");
  return std::string(config.status().message());
}

TEST(ServerConfig, EmptyMeansTheDefaults) {
  const auto config = ParseServerConfig("", "sasld.toml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->store_url, "sqlite:/var/lib/sasld/sasld.db");
  EXPECT_EQ(config->sasl_sockets.at(0).path, "/run/sasld/sasl.sock");
  EXPECT_EQ(config->sasl_sockets.at(0).mode, 0660u);
  EXPECT_EQ(config->admin_sockets.at(0).mode, 0600u);
  EXPECT_THAT(config->policy.mechanisms, ElementsAre("SCRAM-SHA-256", "PLAIN", "LOGIN"));
  EXPECT_EQ(config->argon2id.memory_kib, 19456u);
  EXPECT_GE(config->hashing.threads, 1u);
}

TEST(ServerConfig, TheSampleIsTheDefaults) {
  std::ifstream file(SAMPLE_CONFIG);
  std::ostringstream text;
  text << file.rdbuf();
  const auto sample = ParseServerConfig(text.str(), "sample");
  ASSERT_TRUE(sample.ok()) << sample.status();
  const auto defaults = ParseServerConfig("", "none");
  EXPECT_EQ(sample->store_url, defaults->store_url);
  EXPECT_EQ(sample->policy.mechanisms, defaults->policy.mechanisms);
  EXPECT_EQ(sample->policy.failure_delay, defaults->policy.failure_delay);
  EXPECT_EQ(sample->policy.state_lifetime, defaults->policy.state_lifetime);
  EXPECT_EQ(sample->hashing.queued, defaults->hashing.queued);
  EXPECT_EQ(sample->hashing.per_source, defaults->hashing.per_source);
  EXPECT_EQ(sample->hashing.threads, defaults->hashing.threads);
  EXPECT_EQ(sample->scram_iterations, defaults->scram_iterations);
  EXPECT_EQ(sample->argon2id.memory_kib, defaults->argon2id.memory_kib);
  EXPECT_EQ(sample->log_level, defaults->log_level);
}

TEST(ServerConfig, UnknownKeysNameKeyAndLine) {
  EXPECT_THAT(ErrorOf("[store]\nurl = \"memory:\"\npath = \"x\"\n"),
              HasSubstr("sasld.toml:3: store.path"));
}

TEST(ServerConfig, EveryMistakeIsTold) {
  const std::string errors = ErrorOf(
      "[mechanisms]\nenabled = [\"PLAIN\", \"CRAM-MD4\"]\nplaintext = \"never\"\n"
      "[policy]\nfailure_delay = \"10s\"\n[log]\nlevel = \"loud\"\n");
  EXPECT_THAT(errors, HasSubstr("sasld.toml:2: mechanisms.enabled: \"CRAM-MD4\" is unknown"));
  EXPECT_THAT(errors, HasSubstr("sasld.toml:3: mechanisms.plaintext"));
  EXPECT_THAT(errors, HasSubstr("sasld.toml:5: policy.failure_delay"));
  EXPECT_THAT(errors, HasSubstr("sasld.toml:7: log.level"));
}

TEST(ServerConfig, TcpNeedsMutualTls) {
  EXPECT_THAT(ErrorOf("[listen]\nsasl = [\"192.0.2.1:4720\"]\n"), HasSubstr("client_ca"));
  const auto config = ParseServerConfig(
      "[listen]\nsasl = [\"192.0.2.1:4720\"]\n[listen.tls]\ncertificate = \"a\"\nkey = \"b\"\n"
      "client_ca = \"c\"\n",
      "x");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->sasl_tcp, ElementsAre("192.0.2.1:4720"));
}

TEST(ServerConfig, HashingFitsItsMemory) {
  const auto config = ParseServerConfig(
      "[passwords.argon2id]\nmemory_kib = 65536\n[hashing]\nthreads = 100\nmemory_mib = 200\n",
      "x");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->hashing.threads, 3u);
  EXPECT_THAT(ErrorOf("[hashing]\nmemory_mib = 10\n"), HasSubstr("hashing.memory_mib"));
}

TEST(ServerConfig, AMissingFileIsNamed) {
  const auto config = LoadServerConfig("/nonexistent/sasld.toml");
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("/nonexistent/sasld.toml"));
}

}  // namespace
}  // namespace sasld
