#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sample_settings.h"

#include "server/reload.h"
#include "server/sasl/registry.h"
#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

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
  EXPECT_THAT(config->policy.mechanisms,
              ElementsAre("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"));
  EXPECT_EQ(config->argon2id.memory_kib, 19456u);
  EXPECT_GE(config->hashing.threads, 1u);
}

TEST(ServerConfig, TheSampleIsTheDefaults) {
  const auto sample = LoadServerConfig({SAMPLE_CONFIG});
  ASSERT_TRUE(sample.ok()) << sample.status();
  EXPECT_TRUE(*sample == *ParseServerConfig("", "none"));
}

// One at a time, so that a failure names the key.
TEST(ServerConfig, EachSettingOfTheSampleIsItsDefault) {
  const auto defaults = ParseServerConfig("", "none");
  const std::vector<SampleSetting> settings = SampleSettings(SAMPLE_CONFIG);
  ASSERT_GT(settings.size(), 20u);
  for (const SampleSetting& setting : settings) {
    // An example: there is none by default.
    if (setting.header == "[[mechanisms.external.certificate]]") continue;
    const auto config = ParseServerConfig(setting.text(), "sample");
    ASSERT_TRUE(config.ok()) << config.status();
    // Its default is the number of cores.
    if (setting.key == "threads" && setting.switched_off) continue;
    EXPECT_TRUE(*config == *defaults) << setting.text();
  }
}

ConfigEnvironment Given(const std::string& variable) {
  const char* const variables[] = {variable.c_str(), nullptr};
  return ServerEnvironment(variables);
}

TEST(ServerConfig, EachSettingOfTheSampleIsAVariableToo) {
  const auto defaults = ParseServerConfig("", "none");
  for (const SampleSetting& setting : SampleSettings(SAMPLE_CONFIG)) {
    if (setting.header == "[[mechanisms.external.certificate]]") continue;
    const std::string variable = Given("").NameOf(setting.path());
    // Not hidden by what Kubernetes sets.
    EXPECT_FALSE(IsOfAService(variable, "tcp://192.0.2.1:4720")) << variable;
    const auto config = ParseServerConfig("", "none", Given(variable + "=" + setting.value()));
    ASSERT_TRUE(config.ok()) << config.status();
    if (setting.key == "threads" && setting.switched_off) continue;
    EXPECT_TRUE(*config == *defaults) << variable;
  }
}

TEST(ServerConfig, VariablesAreSasldsOwn) {
  const auto config =
      ParseServerConfig("[log]\nlevel = \"warn\"\n", "sasld.toml", Given("SASLD_LOG_LEVEL=debug"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->log_level, "debug");
  EXPECT_TRUE(Given("SASLD_ADAPTER_LOG_LEVEL=debug").empty());
  EXPECT_EQ(ParseServerConfig("", "none", Given("SASLD_LOG_LEVL=debug")).status().message(),
            "SASLD_LOG_LEVL: is no key of the configuration; did you mean SASLD_LOG_LEVEL?");
  const std::string sha256(64, 'a');
  EXPECT_THAT(
      std::string(ParseServerConfig(
                      "", "none", Given("SASLD_MECHANISMS_EXTERNAL_CERTIFICATE_0_SHA256=" + sha256))
                      .status()
                      .message()),
      HasSubstr("SASLD_MECHANISMS_EXTERNAL_CERTIFICATE_0_ACCOUNT: is missing"));
}

TEST(ServerConfig, MetricsAreServedWhereItIsSaid) {
  EXPECT_TRUE(ParseServerConfig("", "x")->metrics.off());
  const auto config = ParseServerConfig("[metrics]\nlisten = \"[::1]:9464\"\n", "x");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->metrics.ip, "::1");
  EXPECT_THAT(ErrorOf("[metrics]\nlisten = \"9464\"\n"), HasSubstr("sasld.toml:2: metrics.listen"));
  EXPECT_THAT(ErrorOf("[metrics]\nport = 9464\n"), HasSubstr("sasld.toml:2: metrics.port"));
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

TEST(ServerConfig, AStoreThatIsNoneIsToldBeforeTheStart) {
  EXPECT_EQ(ErrorOf("[store]\nurl = \"/var/lib/x.db\"\n"),
            "sasld.toml:2: store.url: \"/var/lib/x.db\" is neither memory: nor sqlite:/path");
  EXPECT_EQ(ErrorOf("[store]\nurl = \"sqlite:\"\n"),
            "sasld.toml:2: store.url: \"sqlite:\" has no path");
}

TEST(ServerConfig, TakesTheLogLevelsThatTheAdapterTakes) {
  for (std::string level : {"debug", "info", "warn", "error"}) {
    EXPECT_EQ(ErrorOf("[log]\nlevel = \"" + level + "\"\n"), "");
  }
  EXPECT_THAT(ErrorOf("[log]\nlevel = \"warning\"\n"),
              HasSubstr("none of debug, info, warn, error"));
}

TEST(ServerConfig, AnUnknownMechanismIsToldAllThereAre) {
  const std::string errors = ErrorOf("[mechanisms]\nenabled = [\"NTLM\"]\n");
  for (const RegisteredMechanism& mechanism : AllMechanisms()) {
    EXPECT_THAT(errors, HasSubstr(std::string(mechanism.name)));
  }
  EXPECT_THAT(ErrorOf("[mechanisms]\nenabled = [\"PLAIN\", \"plain\"]\n"),
              HasSubstr("sasld.toml:2: mechanisms.enabled: \"plain\" is there twice"));
  EXPECT_THAT(ErrorOf("[mechanisms]\nenabled = []\n"), HasSubstr("at least one mechanism"));
}

TEST(ServerConfig, TheRealmFitsBetweenQuotesAndAngles) {
  for (const std::string& bad :
       {std::string("a b"), std::string("\\\""), std::string("a\\\\b"), std::string("a<b"),
        std::string("a>b"), std::string("\\u007f"), std::string("\u00e4"), std::string(256, 'a')}) {
    EXPECT_THAT(ErrorOf("[mechanisms]\nrealm = \"" + bad + "\"\n"),
                HasSubstr("sasld.toml:2: mechanisms.realm: may hold printable ASCII"))
        << bad;
  }
  const auto config = ParseServerConfig(
      "[mechanisms]\nenabled = [\"DIGEST-MD5\", \"SCRAM-SHA-512-PLUS\"]\nrealm = \"" +
          std::string(255, 'a') + "\"\n[passwords.scram]\niterations = 5000\n",
      "x");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->policy.realm, std::string(255, 'a'));
  const DerivationPlan plan = config->Derivation();
  EXPECT_EQ(plan.realm, config->policy.realm);
  EXPECT_TRUE(plan.digest_md5);
  EXPECT_FALSE(plan.cram_md5);
  EXPECT_THAT(plan.scram_hashes, ElementsAre(Hash::kSha512));
  EXPECT_EQ(plan.scram_iterations, 5000u);
}

TEST(ServerConfig, DigestMd5NeedsARealm) {
  EXPECT_THAT(ErrorOf("[mechanisms]\nenabled = [\"digest-md5\"]\n"),
              HasSubstr("mechanisms.realm: is needed for DIGEST-MD5"));
  EXPECT_EQ(ErrorOf("[mechanisms]\nenabled = [\"CRAM-MD5\"]\n"), "");
}

TEST(ServerConfig, AnonymousClientsHaveAnAccountsName) {
  EXPECT_EQ(ParseServerConfig("", "x")->policy.anonymous->str(), "anonymous");
  const std::string named = "[mechanisms.anonymous]\naccount = \"Guest@Example.ORG\"\n";
  EXPECT_EQ(ParseServerConfig(named, "x")->policy.anonymous->str(), "guest@example.org");
  EXPECT_THAT(ErrorOf("[mechanisms.anonymous]\naccount = \"\"\n"),
              HasSubstr("sasld.toml:2: mechanisms.anonymous.account: cannot be an account's name"));
}

TEST(ServerConfig, NamesOfCertificatesKeepTheirOrder) {
  EXPECT_THAT(ParseServerConfig("", "x")->policy.certificates.names,
              ElementsAre(CertificateName::kEmail));
  const auto config = ParseServerConfig(
      "[mechanisms.external]\nnames = [\"common-name\", \"username\", \"email\"]\n", "x");
  EXPECT_THAT(config->policy.certificates.names,
              ElementsAre(CertificateName::kCommonName, CertificateName::kUsername,
                          CertificateName::kEmail));
  EXPECT_THAT(ErrorOf("[mechanisms.external]\nnames = [\"dn\"]\n"),
              HasSubstr("sasld.toml:2: mechanisms.external.names: \"dn\" is none of \"email\", "
                        "\"username\", \"common-name\""));
}

std::string CertificateTable(std::string_view sha256, std::string_view account = "ann") {
  std::string table("[[mechanisms.external.certificate]]\nsha256 = \"");
  return table.append(sha256).append("\"\naccount = \"").append(account).append("\"\n");
}

std::string Repeated(std::string_view text, int times) {
  std::string repeated;
  while (times-- > 0) repeated += text;
  return repeated;
}

TEST(ServerConfig, ExternalMustBeAbleToLetSomebodyIn) {
  const std::string enabled = "[mechanisms]\nenabled = [\"EXTERNAL\"]\n";
  const std::string no_names = "[mechanisms.external]\nnames = []\n";
  EXPECT_THAT(ErrorOf(enabled + no_names),
              HasSubstr("sasld.toml:4: mechanisms.external.names: is empty and no certificate is "
                        "listed"));
  EXPECT_TRUE(ParseServerConfig(enabled, "x").ok());
  EXPECT_TRUE(ParseServerConfig(no_names, "x").ok());
  EXPECT_TRUE(
      ParseServerConfig(enabled + no_names + CertificateTable(Repeated("ab", 32)), "x").ok());
}

TEST(ServerConfig, FingerprintsAreTakenAsOpensslPrintsThem) {
  for (const std::string& text :
       {Repeated("aB", 32), Repeated("AB:", 31) + "AB", Repeated("ab:", 31) + "ab"}) {
    const auto config = ParseServerConfig(CertificateTable(text, "Ann"), "x");
    ASSERT_TRUE(config.ok()) << config.status();
    const auto& accounts = config->policy.certificates.accounts;
    ASSERT_EQ(accounts.size(), 1u);
    EXPECT_EQ(accounts.begin()->first, std::string(32, '\xab'));
    EXPECT_EQ(accounts.begin()->second.str(), "ann");
  }
}

TEST(ServerConfig, WrongFingerprintsAreToldOnce) {
  const std::string bad = "is not a SHA-256 fingerprint";
  for (const std::string& text : {Repeated("ab", 31), Repeated("ab", 33), Repeated("ag", 32),
                                  Repeated("ab ", 32), Repeated("ab", 20)}) {
    // Two of them are no double.
    const std::string errors = ErrorOf(CertificateTable(text) + CertificateTable(text));
    EXPECT_THAT(errors, HasSubstr("sasld.toml:2: mechanisms.external.certificate")) << text;
    EXPECT_THAT(errors, HasSubstr("sasld.toml:5: mechanisms.external.certificate")) << text;
    EXPECT_THAT(errors, HasSubstr(bad));
    EXPECT_THAT(errors, Not(HasSubstr("twice")));
  }
  // However it is spelled.
  EXPECT_THAT(ErrorOf(CertificateTable(Repeated("ab", 32)) +
                      CertificateTable(Repeated("AB:", 31) + "AB", "ben")),
              HasSubstr("sasld.toml:5: mechanisms.external.certificate"));
  EXPECT_THAT(ErrorOf(CertificateTable(Repeated("ab", 32), "")), HasSubstr("account"));
}

TEST(ServerConfig, TheCacheOfPasswordsIsSet) {
  const auto config = ParseServerConfig("[passwords.cache]\nentries = 5\nlifetime = \"1h\"\n", "x");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->verification_cache, (VerificationCache::Limits{5, absl::Hours(1)}));
  EXPECT_EQ(ParseServerConfig("[passwords.cache]\nentries = 0\n", "x")->verification_cache.entries,
            0u);
  EXPECT_THAT(ErrorOf("[passwords.cache]\nlifetime = \"2d\"\n"),
              HasSubstr("sasld.toml:2: passwords.cache.lifetime"));
  EXPECT_THAT(ErrorOf("[passwords.cache]\nentries = -1\n"),
              HasSubstr("sasld.toml:2: passwords.cache.entries"));
}

TEST(ServerConfig, TheThrottleHasItsDefaults) {
  const ThrottleRules rules = ParseServerConfig("", "x")->policy.throttle;
  EXPECT_EQ(rules.peer_failures, 30u);
  EXPECT_EQ(rules.account_failures, 20u);
  EXPECT_EQ(rules.window, absl::Minutes(10));
  EXPECT_EQ(rules.known_for, absl::Hours(720));
  EXPECT_THAT(rules.exempt,
              ElementsAre(*Network::Parse("127.0.0.0/8"), *Network::Parse("::1/128")));
}

TEST(ServerConfig, TheThrottleIsSet) {
  const auto config = ParseServerConfig(
      "[policy.throttle]\npeer_failures = 5\naccount_failures = 0\nwindow = \"1h\"\n"
      "known_for = \"8760h\"\nexempt = [\"192.0.2.7\", \"2001:db8::/32\"]\n",
      "x");
  ASSERT_TRUE(config.ok()) << config.status();
  const ThrottleRules& rules = config->policy.throttle;
  EXPECT_EQ(rules.peer_failures, 5u);
  EXPECT_EQ(rules.account_failures, 0u);
  EXPECT_EQ(rules.window, absl::Hours(1));
  EXPECT_EQ(rules.known_for, absl::Hours(8760));
  EXPECT_THAT(rules.exempt,
              ElementsAre(*Network::Parse("192.0.2.7/32"), *Network::Parse("2001:db8::/32")));
  EXPECT_THAT(ParseServerConfig("[policy.throttle]\nexempt = []\n", "x")->policy.throttle.exempt,
              ElementsAre());
}

TEST(ServerConfig, MistakesOfTheThrottleAreTold) {
  EXPECT_EQ(ErrorOf("[policy.throttle]\nexempt = [\"127.0.0.1\", \"10.0.0.0/33\"]\n"),
            "sasld.toml:2: policy.throttle.exempt: \"10.0.0.0/33\" is not a network such as "
            "\"192.0.2.0/24\"");
  EXPECT_EQ(ErrorOf("[policy.throttle]\nexempt = [\"10.0.0.1/8\"]\n"),
            "sasld.toml:2: policy.throttle.exempt: \"10.0.0.1/8\" is an address inside of a "
            "network; the network is \"10.0.0.0/8\"");
  const std::string errors = ErrorOf(
      "[policy.throttle]\npeer_failures = -1\naccount_failures = 1000001\nwindow = \"59s\"\n"
      "known_for = \"30d\"\n");
  EXPECT_THAT(errors, HasSubstr("sasld.toml:2: policy.throttle.peer_failures"));
  EXPECT_THAT(errors, HasSubstr("sasld.toml:3: policy.throttle.account_failures"));
  EXPECT_THAT(errors, HasSubstr("sasld.toml:4: policy.throttle.window"));
  EXPECT_THAT(errors, HasSubstr("sasld.toml:5: policy.throttle.known_for"));
}

TEST(Reload, TakesOverMechanismsPolicyAndWhatPasswordsAreSetFor) {
  const auto started = ParseServerConfig("[mechanisms]\nenabled = [\"SCRAM-SHA-256\"]\n", "x");
  const auto reloaded = ParseServerConfig(
      "[mechanisms]\nenabled = [\"SCRAM-SHA-512\", \"DIGEST-MD5\"]\nrealm = \"new.example\"\n"
      "[passwords.scram]\niterations = 9999\n",
      "x");
  ASSERT_TRUE(started.ok() && reloaded.ok());
  Parts parts({1, 64, 64}, started->policy);
  AdoptReloaded(*reloaded, *started, parts.exchange, parts.directory, parts.deriver, parts.lookups);
  ASSERT_EQ(parts.exchange.Enabled().size(), 2u);
  EXPECT_EQ(parts.exchange.Enabled()[0]->name, "SCRAM-SHA-512");
  const Account ann = parts.MustCreate("ann", "secret");
  EXPECT_TRUE(ann.credential.scram->keys.contains(Hash::kSha512));
  EXPECT_FALSE(ann.credential.scram->keys.contains(Hash::kSha256));
  EXPECT_EQ(ann.credential.digest_md5->realm, "new.example");
  // [passwords.scram] waits for a restart: else it would tell new users from unknown ones.
  const auto keys = parts.answers.KeysFor({Username::Prepare("nobody").value(), Hash::kSha512});
  EXPECT_EQ(ann.credential.scram->iterations, keys->keys.iterations);
}

TEST(ServerConfig, TheDefaultRealmIsADomain) {
  EXPECT_EQ(ParseServerConfig("", "x")->policy.default_realm, "");
  EXPECT_EQ(
      ParseServerConfig("[policy]\ndefault_realm = \"Example.ORG\"\n", "x")->policy.default_realm,
      "example.org");
  EXPECT_EQ(ErrorOf("[policy]\ndefault_realm = \"ann@example.org\"\n"),
            "sasld.toml:2: policy.default_realm: \"ann@example.org\" is not a domain such as "
            "\"example.org\"");
}

TEST(Reload, TakesOverTheDefaultRealm) {
  const auto without = ParseServerConfig("", "x");
  const auto with = ParseServerConfig("[policy]\ndefault_realm = \"example.org\"\n", "x");
  ASSERT_TRUE(without.ok() && with.ok());
  Parts parts({1, 64, 64}, without->policy);
  parts.MustCreate("ann@example.org", "secret");
  const auto lets_in = [&parts] {
    return std::holds_alternative<Granted>(
        parts.Step(FirstStep("PLAIN", PlainMessage("", "ann", "secret"))));
  };
  EXPECT_FALSE(lets_in());
  AdoptReloaded(*with, *without, parts.exchange, parts.directory, parts.deriver, parts.lookups);
  EXPECT_TRUE(lets_in());
  AdoptReloaded(*without, *without, parts.exchange, parts.directory, parts.deriver, parts.lookups);
  EXPECT_FALSE(lets_in());
}

TEST(Reload, TakesOverTheThrottlesRulesAndKeepsItsCounts) {
  const auto strict = ParseServerConfig("[policy.throttle]\npeer_failures = 1\n", "x");
  const auto lax = ParseServerConfig("[policy.throttle]\npeer_failures = 2\n", "x");
  ASSERT_TRUE(strict.ok() && lax.ok());
  Parts parts({1, 64, 64}, strict->policy);
  parts.MustCreate("ann", "secret");
  const auto login = [&parts](std::string_view password) {
    return parts.Step(FirstStep("PLAIN", PlainMessage("", "ann", password)));
  };
  EXPECT_TRUE(std::holds_alternative<Refused>(login("wrong")));
  EXPECT_TRUE(std::holds_alternative<Undecided>(login("secret")));
  AdoptReloaded(*lax, *strict, parts.exchange, parts.directory, parts.deriver, parts.lookups);
  EXPECT_TRUE(std::holds_alternative<Granted>(login("secret")));
  AdoptReloaded(*strict, *strict, parts.exchange, parts.directory, parts.deriver, parts.lookups);
  EXPECT_TRUE(std::holds_alternative<Undecided>(login("secret")));
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
  EXPECT_EQ(config->hashing_budget.memory, size_t{200} << 20);
  EXPECT_EQ(config->hashing_budget.threads, 100u);
  EXPECT_THAT(ErrorOf("[hashing]\nmemory_mib = 10\n"), HasSubstr("hashing.memory_mib"));
}

TEST(ServerConfig, AMissingFileIsNamed) {
  const auto config = LoadServerConfig({"/nonexistent/sasld.toml"});
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("/nonexistent/sasld.toml"));
}

}  // namespace
}  // namespace sasld
