#include "client/adapter/config.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "client/adapter/ip_text.h"
#include "client/adapter/mechanism_text.h"
#include "proto/common/accounts.h"
#include "proto/common/log_level.h"
#include "proto/common/status_macros.h"

namespace sasld {
namespace {

constexpr std::string_view kUnix = "unix:";

bool IsUnix(std::string_view address) { return address.substr(0, kUnix.size()) == kUnix; }

// "host:port" or "[v6]:port", roughly: gRPC resolves it.
bool IsHostAndPort(std::string_view address) {
  if (IsUnix(address)) return false;
  size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || address.find('/') != address.npos)
    return false;
  std::string_view port = address.substr(colon + 1);
  return !port.empty() && port.size() <= 5 &&
         std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void ReadServer(TomlTable server, AdapterConfig& config) {
  config.server_addresses = server.Strings("addresses", {"unix:/run/sasld/sasl.sock"});
  bool any_tcp = false;
  for (const std::string& address : config.server_addresses) {
    if (IsUnix(address) && !UnixSocketPath(address).ok()) {
      server.Reject("addresses",
                    "\"" + address + "\" has no path such as \"unix:/run/sasld/sasl.sock\"");
    } else if (!IsUnix(address) && !IsHostAndPort(address)) {
      server.Reject("addresses", "\"" + address + "\" is neither \"unix:/path\" nor \"host:port\"");
    }
    any_tcp = any_tcp || IsHostAndPort(address);
  }
  if (config.server_addresses.empty()) {
    server.Reject("addresses", "is empty; at least one server is needed");
  }
  TomlTable tls = server.Table("tls");
  config.server_tls = {tls.String("ca", ""), tls.String("certificate", ""), tls.String("key", "")};
  const TlsFiles& files = config.server_tls;
  if (any_tcp && (files.ca.empty() || files.certificate.empty() || files.key.empty())) {
    server.Reject(
        "addresses",
        "a server on TCP needs [server.tls] with ca, certificate and key: passwords pass here");
  }
}

TemporaryFailureWay ReadTemporaryFailure(TomlTable& listen) {
  std::string way = listen.String("temporary_failure", "auto");
  if (way == "close") return TemporaryFailureWay::kClose;
  if (way == "fail") return TemporaryFailureWay::kFail;
  if (way != "auto") {
    listen.Reject("temporary_failure", "\"" + way + "\" is none of \"auto\", \"close\", \"fail\"");
  }
  return TemporaryFailureWay::kAuto;
}

// The ids that the names of `key` stand for. `id_of` is UserIdOf or GroupIdOf.
template <class Id>
std::vector<Id> ReadIds(TomlTable& listen, std::string_view key, std::string_view kind,
                        absl::StatusOr<Id> (*id_of)(const std::string&)) {
  std::vector<Id> ids;
  for (const std::string& name : listen.Strings(key, {})) {
    absl::StatusOr<Id> id = id_of(name);
    if (id.ok()) {
      ids.push_back(*id);
    } else if (absl::IsNotFound(id.status())) {
      listen.Reject(key, "\"" + name + "\" is no " + std::string(kind) + " of this system");
    } else {
      listen.Reject(key, "\"" + name + "\" " + std::string(id.status().message()));
    }
  }
  return ids;
}

Trust ReadTrust(TomlTable& listen) {
  Trust trust{false, false, false, false};
  for (const std::string& word :
       listen.Strings("trust", {"address", "secured", "certificate", "channel-binding"})) {
    if (bool Trust::*member = FindTrust(word)) {
      trust.*member = true;
    } else {
      listen.Reject("trust", "\"" + word + "\" is none of " + TrustWords());
    }
  }
  return trust;
}

// "192.0.2.7:143" or "[2001:db8::7]:143". Names are not resolved here, and not by who is told.
std::optional<Backend> ParseBackend(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view address = text.substr(0, colon);
  const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (bracketed) address = address.substr(1, address.size() - 2);
  // An IPv6 address stands in brackets, and nothing else does.
  if ((address.find(':') != address.npos) != bracketed) return std::nullopt;
  if (IpAddressIn(address).size() != address.size() || address.empty()) return std::nullopt;
  const std::string_view digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), port);
  if (error != std::errc() || end != digits.end() || port == 0) return std::nullopt;
  return Backend{std::string(address), port};
}

void TakeBackend(TomlTable& table, std::string_view key, const std::string& text,
                 Backend& backend) {
  if (text.empty()) return;
  if (std::optional<Backend> parsed = ParseBackend(text)) {
    backend = *std::move(parsed);
  } else {
    table.Reject(key, "\"" + text + "\" is no IP address with a port such as \"127.0.0.1:143\"");
  }
}

// `protocol` may be null, after another mistake.
Backends ReadBackends(TomlTable& listen, const Protocol* protocol) {
  const bool present = listen.Has("backends");
  TomlTable table = listen.Table("backends");
  Backends backends;
  TakeBackend(table, "imap", table.String("imap", ""), backends.imap);
  TakeBackend(table, "pop3", table.String("pop3", ""), backends.pop3);
  TakeBackend(table, "smtp", table.String("smtp", ""), backends.smtp);
  if (!protocol) return backends;
  if (!protocol->needs_backends && present) {
    listen.Reject("backends",
                  "the protocol " + std::string(protocol->name) + " takes nobody on to a backend");
  } else if (protocol->needs_backends && !table.Has("imap") && !table.Has("pop3") &&
             !table.Has("smtp")) {
    listen.Reject("backends",
                  "the protocol " + std::string(protocol->name) +
                      " needs one of imap, pop3, smtp, such as imap = \"127.0.0.1:143\"");
  }
  return backends;
}

void ReadListeners(TomlTable root, ListenRule rule, AdapterConfig& config) {
  std::set<std::string> paths;
  for (TomlTable& listen : root.Tables("listen")) {
    ListenConfig one{};
    std::string protocol = listen.RequiredString("protocol");
    one.protocol = FindProtocol(protocol);
    if (!one.protocol && !protocol.empty()) {
      listen.Reject("protocol", "\"" + protocol + "\" is none of: " + ProtocolNames());
    }
    one.socket.path = listen.RequiredString("path");
    if (!one.socket.path.empty() && one.socket.path.front() != '/') {
      listen.Reject("path", "\"" + one.socket.path + "\" is not an absolute path");
    } else if (!one.socket.path.empty() && !paths.insert(one.socket.path).second) {
      listen.Reject("path", "\"" + one.socket.path + "\" is listened on twice");
    }
    one.socket.mode = listen.Mode("mode", 0660);
    one.socket.owner = listen.String("owner", "");
    one.socket.group = listen.String("group", "");
    one.access.users = ReadIds<uid_t>(listen, "allow_users", "user", UserIdOf);
    one.access.groups = ReadIds<gid_t>(listen, "allow_groups", "group", GroupIdOf);
    one.trust = ReadTrust(listen);
    one.temporary_failure = ReadTemporaryFailure(listen);
    one.backends = ReadBackends(listen, one.protocol);
    one.max_connections = static_cast<size_t>(listen.Integer("max_connections", 10000, 1, 1000000));
    config.listen.push_back(std::move(one));
  }
  if (config.listen.empty() && rule == ListenRule::kNeeded) {
    root.Reject("listen", "there is no [[listen]] with protocol and path, so nothing to do");
  }
}

void ReadMechanisms(TomlTable mechanisms, AdapterConfig& config) {
  bool all_parsed = true;
  for (const std::string& text : mechanisms.Strings(
           "fallback", {"SCRAM-SHA-256 mutual-auth", "PLAIN plaintext", "LOGIN plaintext"})) {
    absl::StatusOr<v1::MechanismInfo> mechanism = ParseMechanism(text);
    if (mechanism.ok()) {
      *config.fallback_mechanisms.add_mechanisms() = *std::move(mechanism);
    } else {
      mechanisms.Reject("fallback", std::string(mechanism.status().message()));
      all_parsed = false;
    }
  }
  if (all_parsed && !OffersAny(config.fallback_mechanisms)) {
    mechanisms.Reject("fallback", "offers no mechanism; Postfix would not even start a session");
  }
  config.mechanisms_state_file = mechanisms.String("state_file", "");
}

absl::StatusOr<AdapterConfig> Read(TomlDocument document, ListenRule rule) {
  AdapterConfig config;
  TomlTable root = document.Root();
  ReadServer(root.Table("server"), config);
  ReadListeners(root, rule, config);
  ReadMechanisms(root.Table("mechanisms"), config);

  TomlTable limits = root.Table("limits");
  // Postfix waits 10 s for an answer, chasquid 5 s for a whole exchange.
  config.answer_within =
      limits.Duration("answer_within", absl::Seconds(4), absl::Milliseconds(500), absl::Seconds(9));
  config.idle = limits.Duration("idle", absl::Hours(1), absl::Minutes(3), absl::Hours(24 * 7));

  config.metrics = ReadMetrics(root.Table("metrics"));
  TomlTable log = root.Table("log");
  config.log_level = ReadLogLevel(log);
  RETURN_IF_ERROR(document.Finish());
  return config;
}

}  // namespace

ConfigEnvironment AdapterEnvironment(const char* const* variables) {
  return ConfigEnvironment({"SASLD_ADAPTER_", "", "sasld-adapter.toml(5)"}, variables);
}

absl::StatusOr<AdapterConfig> LoadAdapterConfig(const ConfigSource& source, ListenRule rule) {
  ASSIGN_OR_RETURN(TomlDocument document, TomlDocument::Load(source));
  return Read(std::move(document), rule);
}

absl::StatusOr<AdapterConfig> ParseAdapterConfig(std::string_view text, std::string name,
                                                 ListenRule rule, ConfigEnvironment environment) {
  ASSIGN_OR_RETURN(TomlDocument document,
                   TomlDocument::Parse(text, std::move(name), std::move(environment)));
  return Read(std::move(document), rule);
}

}  // namespace sasld
