#include "server/config.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/common/log_level.h"
#include "proto/common/status_macros.h"
#include "storage/open.h"

namespace sasld {
namespace {

// A budget for all hashing threads together, so that many cores do not take all memory.
constexpr int64_t kDefaultMemoryMib = 512;

void ReadListen(TomlTable listen, ServerConfig& config) {
  const mode_t sasl_mode = listen.Mode("sasl_mode", 0660);
  const std::string sasl_group = listen.String("sasl_group", "");
  for (const std::string& address : listen.Strings("sasl", {"unix:/run/sasld/sasl.sock"})) {
    if (absl::StatusOr<std::string> path = UnixSocketPath(address); path.ok()) {
      config.sasl_sockets.push_back({*std::move(path), sasl_mode, "", sasl_group});
    } else if (!address.starts_with("unix:") && address.find(':') != std::string::npos) {
      config.sasl_tcp.push_back(address);
    } else {
      listen.Reject("sasl", absl::StrCat("\"", address, "\" is neither unix:/path nor host:port"));
    }
  }
  for (const std::string& address : listen.Strings("admin", {"unix:/run/sasld/admin.sock"})) {
    if (absl::StatusOr<std::string> path = UnixSocketPath(address); path.ok()) {
      config.admin_sockets.push_back({*std::move(path), 0600, "", ""});
    } else {
      listen.Reject("admin", absl::StrCat("\"", address, "\" is not unix:/path"));
    }
  }
  if (config.sasl_sockets.empty() && config.sasl_tcp.empty()) {
    listen.Reject("sasl", "needs at least one address");
  }

  TomlTable tls = listen.Table("tls");
  config.tls = {tls.String("certificate", ""), tls.String("key", ""), tls.String("client_ca", "")};
  const bool complete =
      !config.tls.certificate.empty() && !config.tls.key.empty() && !config.tls.client_ca.empty();
  if (!config.sasl_tcp.empty() && !complete) {
    listen.Reject("sasl",
                  "a TCP address needs [listen.tls] certificate, key and client_ca: callers are "
                  "trusted, so they must prove who they are");
  }
}

bool IsEnabled(const ExchangePolicy& policy, std::string_view mechanism) {
  return std::find(policy.mechanisms.begin(), policy.mechanisms.end(), mechanism) !=
         policy.mechanisms.end();
}

// It stands in quotes in DIGEST-MD5's challenge and between angle brackets in CRAM-MD5's.
bool IsRealm(std::string_view realm) {
  return realm.size() <= 255 && std::all_of(realm.begin(), realm.end(), [](char c) {
           return c > ' ' && c < '\x7f' && c != '"' && c != '\\' && c != '<' && c != '>';
         });
}

void ReadRealm(TomlTable& mechanisms, ExchangePolicy& policy) {
  policy.realm = mechanisms.String("realm", "");
  if (!IsRealm(policy.realm)) {
    mechanisms.Reject("realm", "may hold printable ASCII but no space, \", \\, < or >");
  } else if (policy.realm.empty() && IsEnabled(policy, "DIGEST-MD5")) {
    mechanisms.Reject("realm", "is needed for DIGEST-MD5, such as realm = \"example.org\"");
  }
}

void ReadAnonymous(TomlTable anonymous, ExchangePolicy& policy) {
  const std::string account = anonymous.String("account", "anonymous");
  absl::StatusOr<Username> prepared = Username::Prepare(account);
  if (prepared.ok()) {
    policy.anonymous = *std::move(prepared);
  } else {
    anonymous.Reject("account", "cannot be an account's name");
  }
}

// 64 hexadecimal digits, with colons or without, as openssl prints them; empty for others.
std::string ParseFingerprint(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ':') digits.push_back(c);
  }
  const auto is_digit = [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); };
  if (digits.size() != 64 || !std::all_of(digits.begin(), digits.end(), is_digit)) return "";
  return absl::HexStringToBytes(digits);
}

void ReadExternal(TomlTable external, bool enabled, CertificateRules& rules) {
  const std::vector<std::string> names = external.Strings("names", {"email"});
  for (const std::string& name : names) {
    if (name == "email") {
      rules.names.push_back(CertificateName::kEmail);
    } else if (name == "username") {
      rules.names.push_back(CertificateName::kUsername);
    } else if (name == "common-name") {
      rules.names.push_back(CertificateName::kCommonName);
    } else {
      external.Reject("names", absl::StrCat("\"", name,
                                            "\" is none of \"email\", \"username\", "
                                            "\"common-name\""));
    }
  }
  auto certificates = external.Tables("certificate");
  for (TomlTable& certificate : certificates) {
    std::string fingerprint = ParseFingerprint(certificate.RequiredString("sha256"));
    if (fingerprint.empty()) {
      certificate.Reject("sha256",
                         "is not a SHA-256 fingerprint: 64 hexadecimal digits, as "
                         "`openssl x509 -noout -fingerprint -sha256` prints them");
    }
    absl::StatusOr<Username> account = Username::Prepare(certificate.RequiredString("account"));
    if (!account.ok()) {
      certificate.Reject("account", "cannot be an account's name");
    } else if (!fingerprint.empty() &&
               !rules.accounts.emplace(std::move(fingerprint), *std::move(account)).second) {
      certificate.Reject("sha256", "is there twice");
    }
  }
  if (enabled && names.empty() && certificates.empty()) {
    external.Reject("names", "is empty and no certificate is listed: EXTERNAL would let nobody in");
  }
}

void ReadMechanisms(TomlTable mechanisms, ExchangePolicy& policy) {
  std::vector<std::string> by_default;
  std::string all;
  for (const RegisteredMechanism& one : AllMechanisms()) {
    if (one.by_default) by_default.emplace_back(one.name);
    absl::StrAppend(&all, all.empty() ? "" : ", ", std::string(one.name));
  }
  for (const std::string& name : mechanisms.Strings("enabled", by_default)) {
    const RegisteredMechanism* mechanism = FindMechanism(name);
    if (!mechanism) {
      mechanisms.Reject("enabled", absl::StrCat("\"", name, "\" is unknown; there are ", all));
    } else if (std::find(policy.mechanisms.begin(), policy.mechanisms.end(), mechanism->name) ==
               policy.mechanisms.end()) {
      policy.mechanisms.emplace_back(mechanism->name);
    } else {
      mechanisms.Reject("enabled", absl::StrCat("\"", name, "\" is there twice"));
    }
  }
  if (policy.mechanisms.empty()) mechanisms.Reject("enabled", "needs at least one mechanism");

  const std::string plaintext = mechanisms.String("plaintext", "secured");
  if (plaintext == "always") {
    policy.plaintext = PlaintextRule::kAlways;
  } else if (plaintext != "secured") {
    mechanisms.Reject("plaintext",
                      absl::StrCat("\"", plaintext, "\" is neither \"secured\" nor \"always\""));
  }
  ReadRealm(mechanisms, policy);
  ReadAnonymous(mechanisms.Table("anonymous"), policy);
  ReadExternal(mechanisms.Table("external"), IsEnabled(policy, "EXTERNAL"), policy.certificates);
}

void ReadPasswords(TomlTable passwords, ServerConfig& config) {
  TomlTable argon2id = passwords.Table("argon2id");
  config.argon2id.memory_kib = static_cast<uint32_t>(
      argon2id.Integer("memory_kib", config.argon2id.memory_kib, 8, int64_t{4} * 1024 * 1024));
  config.argon2id.iterations =
      static_cast<uint32_t>(argon2id.Integer("iterations", config.argon2id.iterations, 1, 1000));
  config.argon2id.parallelism =
      static_cast<uint32_t>(argon2id.Integer("parallelism", config.argon2id.parallelism, 1, 64));
  if (config.argon2id.memory_kib < 8 * config.argon2id.parallelism) {
    argon2id.Reject("memory_kib",
                    "must be at least 8 times the parallelism (RFC 9106 section 3.1)");
  }
  config.scram_iterations = static_cast<uint32_t>(passwords.Table("scram").Integer(
      "iterations", kScramIterationsLeast, kScramIterationsLeast, kScramIterationsMost));
  TomlTable cache = passwords.Table("cache");
  config.verification_cache.entries = static_cast<size_t>(cache.Integer(
      "entries", static_cast<int64_t>(config.verification_cache.entries), 0, 10'000'000));
  config.verification_cache.lifetime = cache.Duration(
      "lifetime", config.verification_cache.lifetime, absl::ZeroDuration(), absl::Hours(24));
}

void ReadHashing(TomlTable hashing, ServerConfig& config) {
  const int64_t cores = std::max<int64_t>(1, std::thread::hardware_concurrency());
  HashingBudget& budget = config.hashing_budget;
  budget.memory = static_cast<size_t>(hashing.Integer("memory_mib", kDefaultMemoryMib, 1, 1 << 20))
                  << 20;
  budget.threads = static_cast<size_t>(hashing.Integer("threads", cores, 1, 1024));
  if (budget.memory / 1024 < config.argon2id.memory_kib) {
    hashing.Reject("memory_mib", absl::StrCat("is less than one Argon2id hash takes (",
                                              config.argon2id.memory_kib, " KiB)"));
  }
  config.hashing.threads = budget.ThreadsFor(config.argon2id);
  config.hashing.queued = static_cast<size_t>(hashing.Integer("queue", 256, 1, 1 << 20));
  const auto half = static_cast<int64_t>(std::max<size_t>(1, config.hashing.queued / 2));
  config.hashing.per_source =
      static_cast<size_t>(hashing.Integer("queue_per_address", half, 1, 1 << 20));
}

void ReadThrottle(TomlTable throttle, ThrottleRules& rules) {
  constexpr int64_t kMostFailures = 1'000'000;
  rules.peer_failures = static_cast<uint32_t>(
      throttle.Integer("peer_failures", rules.peer_failures, 0, kMostFailures));
  rules.account_failures = static_cast<uint32_t>(
      throttle.Integer("account_failures", rules.account_failures, 0, kMostFailures));
  // Longer than any step takes, so that the order in which steps end does not matter.
  rules.window = throttle.Duration("window", rules.window, absl::Minutes(1), absl::Hours(24));
  rules.known_for = throttle.Duration("known_for", rules.known_for, absl::Hours(1),
                                      absl::Hours(int64_t{366} * 24));
  std::vector<std::string> exempt;
  for (const Network& network : rules.exempt) exempt.push_back(network.str());
  rules.exempt.clear();
  for (const std::string& text : throttle.Strings("exempt", exempt)) {
    absl::StatusOr<Network> network = Network::Parse(text);
    if (network.ok()) {
      rules.exempt.push_back(*std::move(network));
    } else {
      throttle.Reject("exempt", absl::StrCat("\"", text, "\" ", network.status().message()));
    }
  }
}

void ReadDefaultRealm(TomlTable& policy, ExchangePolicy& result) {
  const std::string realm = policy.String("default_realm", "");
  if (realm.empty()) return;
  const absl::StatusOr<Username> prepared = Username::Prepare(realm);
  if (prepared.ok() && prepared->str().find('@') == std::string::npos) {
    result.default_realm = prepared->str();
  } else {
    policy.Reject("default_realm",
                  absl::StrCat("\"", realm, "\" is not a domain such as \"example.org\""));
  }
}

void ReadPolicy(TomlTable policy, ExchangePolicy& result) {
  // Under the shortest patience of any mail server: chasquid's 5 s for a whole exchange.
  result.failure_delay =
      policy.Duration("failure_delay", absl::Seconds(2), absl::ZeroDuration(), absl::Seconds(3));
  result.state_lifetime =
      policy.Duration("state_lifetime", absl::Seconds(120), absl::Seconds(1), absl::Hours(1));
  for (const std::string& name : policy.Strings("proxies", {})) {
    absl::StatusOr<Username> prepared = Username::Prepare(name);
    if (prepared.ok()) {
      result.proxies.push_back(*std::move(prepared));
    } else {
      policy.Reject("proxies", "holds a name that cannot be a user's");
    }
  }
  ReadDefaultRealm(policy, result);
  ReadThrottle(policy.Table("throttle"), result.throttle);
}

absl::StatusOr<ServerConfig> ReadServerConfig(TomlDocument document) {
  ServerConfig config;
  TomlTable root = document.Root();
  TomlTable store = root.Table("store");
  config.store_url = store.String("url", "sqlite:/var/lib/sasld/sasld.db");
  if (const absl::Status status = CheckStoreUrl(config.store_url); !status.ok()) {
    store.Reject("url", std::string(status.message()));
  }
  config.store_url_at.text = store.Place("url");
  TomlTable keys = root.Table("keys");
  config.key_file = keys.String("file", "/var/lib/sasld/sasld.key");
  config.key_file_at.text = keys.Place("file");
  ReadListen(root.Table("listen"), config);
  ReadMechanisms(root.Table("mechanisms"), config.policy);
  ReadPasswords(root.Table("passwords"), config);
  ReadHashing(root.Table("hashing"), config);
  TomlTable policy = root.Table("policy");
  config.account_lookups = policy.Boolean("account_lookups", false);
  ReadPolicy(std::move(policy), config.policy);

  config.metrics = ReadMetrics(root.Table("metrics"));
  TomlTable log = root.Table("log");
  config.log_level = ReadLogLevel(log);
  config.log_successes = log.Boolean("successes", false);

  RETURN_IF_ERROR(document.Finish());
  return config;
}

}  // namespace

DerivationPlan ServerConfig::Derivation() const {
  return DerivationPlan::For(policy.mechanisms, scram_iterations, policy.realm);
}

ConfigEnvironment ServerEnvironment(const char* const* variables) {
  return ConfigEnvironment({"SASLD_", "SASLD_ADAPTER_", "sasld.toml(5)"}, variables);
}

absl::StatusOr<ServerConfig> LoadServerConfig(const ConfigSource& source) {
  ASSIGN_OR_RETURN(TomlDocument document, TomlDocument::Load(source));
  return ReadServerConfig(std::move(document));
}

absl::StatusOr<ServerConfig> ParseServerConfig(std::string_view text, std::string name,
                                               ConfigEnvironment environment) {
  ASSIGN_OR_RETURN(TomlDocument document,
                   TomlDocument::Parse(text, std::move(name), std::move(environment)));
  return ReadServerConfig(std::move(document));
}

}  // namespace sasld
