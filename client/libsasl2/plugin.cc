// A server mechanism plug-in of Cyrus libsasl2: what Postfix of type cyrus, Sendmail, Cyrus IMAP
// and OpenLDAP load. It has each step of an exchange made by sasld, so no secret is in their
// processes.
//
// C calls this and it calls C: nothing here throws, and memory is libsasl2's to give.
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <new>

#include "client/libsasl2/adapter_socket.h"
#include "client/libsasl2/exchange.h"
#include "client/libsasl2/mechanism.h"
#include "client/libsasl2/reply.h"
#include "client/libsasl2/request.h"

namespace sasld::libsasl2 {
namespace {

constexpr std::string_view kDefaultSocket = "/run/sasld-adapter/libsasl2.sock";
constexpr std::string_view kDefaultMechanisms = "SCRAM-SHA-256 PLAIN LOGIN";
// The adapter's greeting waits for nobody, and each smtpd process waits for this at its start.
constexpr int64_t kGreetingMilliseconds = 2000;
constexpr int kMaxGreetingLines = 1024;
constexpr size_t kMaxMechanisms = 32;

struct Plugin;

struct Relayed {
  Plugin* plugin;
  std::array<char, 21> name;  // RFC 4422: at most 20, and NUL
};

// Lives from sasl_server_plug_init() until libsasl2 has freed each of its mechanisms.
struct Plugin {
  std::array<char, AdapterSocket::kMaxPathBytes + 1> socket;
  bool trusts_way;
  size_t held;  // by mechanisms not freed yet
  int size;
  std::array<Relayed, kMaxMechanisms> mechanisms;
  std::array<sasl_server_plug_t, kMaxMechanisms> list;
};

// An option of the application's configuration, smtpd.conf and the like; `otherwise` without one.
std::string_view Option(const sasl_utils_t& utils, const char* name, std::string_view otherwise) {
  const char* value = nullptr;
  unsigned size = 0;
  if (utils.getopt(utils.getopt_context, nullptr, name, &value, &size) != SASL_OK ||
      value == nullptr || *value == '\0') {
    return otherwise;
  }
  return value;
}

unsigned SecurityFlags(const Mechanism& mechanism) {
  unsigned flags = 0;
  if (!mechanism.anonymous) flags |= SASL_SEC_NOANONYMOUS;
  if (mechanism.forward_secrecy) flags |= SASL_SEC_FORWARD_SECRECY;
  if (mechanism.mutual_auth) flags |= SASL_SEC_MUTUAL_AUTH;
  if (mechanism.plaintext) return flags | SASL_SEC_PASS_CREDENTIALS;
  flags |= SASL_SEC_NOPLAINTEXT;
  // Dovecot's words say nothing of it for plain text, where it needs no saying.
  if (!mechanism.dictionary) flags |= SASL_SEC_NODICTIONARY;
  if (!mechanism.active) flags |= SASL_SEC_NOACTIVE;
  return flags;
}

unsigned Features(std::string_view name) {
  unsigned features = 0;
  if (ClientSpeaksFirst(name)) features |= SASL_FEAT_WANT_CLIENT_FIRST;
  if (TakesAuthzid(name)) features |= SASL_FEAT_ALLOWS_PROXY;
  // libsasl2 offers NAME-PLUS where the application has channel binding data.
  if (IsScram(name)) features |= SASL_FEAT_CHANNEL_BINDING;
  return features;
}

int NewExchange(void* relayed, sasl_server_params_t* params, const char*, unsigned,
                void** exchange) {
  const auto& mechanism = *static_cast<const Relayed*>(relayed);
  void* memory = params->utils->malloc(sizeof(Exchange));
  if (memory == nullptr) return SASL_NOMEM;
  *exchange = new (memory) Exchange(mechanism.name.data(), mechanism.plugin->socket.data(),
                                    mechanism.plugin->trusts_way);
  return SASL_OK;
}

int StepExchange(void* exchange, sasl_server_params_t* params, const char* client_in,
                 unsigned client_in_size, const char** server_out, unsigned* server_out_size,
                 sasl_out_params_t* out) {
  *server_out = nullptr;
  *server_out_size = 0;
  if (exchange == nullptr) return SASL_BADPARAM;
  std::optional<std::string_view> response;
  if (client_in != nullptr) response = {client_in, client_in_size};
  return static_cast<Exchange*>(exchange)->Step(*params, response, server_out, server_out_size,
                                                *out);
}

void DisposeExchange(void* exchange, const sasl_utils_t* utils) {
  if (exchange == nullptr) return;
  static_cast<Exchange*>(exchange)->~Exchange();
  utils->free(exchange);
}

void FreeMechanism(void* relayed, const sasl_utils_t* utils) {
  Plugin* plugin = static_cast<Relayed*>(relayed)->plugin;
  if (--plugin->held == 0) utils->free(plugin);
}

void Add(const Mechanism& mechanism, Plugin& plugin) {
  auto index = static_cast<size_t>(plugin.size);
  if (!IsRelayed(mechanism) || index == kMaxMechanisms) return;
  for (size_t i = 0; i < index; ++i) {
    if (mechanism.name == plugin.list[i].mech_name) return;
  }
  Relayed& relayed = plugin.mechanisms[index];
  relayed.plugin = &plugin;
  std::copy(mechanism.name.begin(), mechanism.name.end(), relayed.name.begin());
  sasl_server_plug_t& entry = plugin.list[index];
  entry.mech_name = relayed.name.data();
  // Of two plug-ins with a mechanism of one name libsasl2 takes the one with the longer hash if all
  // else is equal. That is us and not its own, and keeps sasld's order.
  entry.security_flags = SecurityFlags(mechanism) | static_cast<unsigned>(255 - index) << 16;
  entry.features = Features(mechanism.name);
  entry.glob_context = &relayed;
  entry.mech_new = &NewExchange;
  entry.mech_step = &StepExchange;
  entry.mech_dispose = &DisposeExchange;
  entry.mech_free = &FreeMechanism;
  ++plugin.size;
}

// What sasld offers, as the adapter greets with it. Nothing: `why` tells.
void AskAdapter(Plugin& plugin, const char*& why) {
  AdapterSocket socket;
  Request request;
  Deadline deadline = Within(kGreetingMilliseconds);
  AppendHandshake(false, static_cast<uint64_t>(getpid()), request);
  std::optional<std::string_view> line;
  if (socket.Connect(plugin.socket.data(), deadline) && socket.Send(request.text(), deadline)) {
    for (int lines = 0; lines < kMaxGreetingLines; ++lines) {
      line = socket.ReadLine(deadline);
      if (!line || *line == "DONE") break;
      if (lines == 0 && !IsVersion1(*line)) {
        why = "it is not sasld-adapter's, with protocol dovecot-auth";
        return;
      }
      if (std::optional<Mechanism> mechanism = ParseMechanismLine(*line)) Add(*mechanism, plugin);
    }
  }
  why = line ? "it offers no mechanism" : socket.why();
}

void AddNamed(std::string_view names, Plugin& plugin) {
  while (!names.empty()) {
    size_t size = std::min(names.find_first_of(" \t,"), names.size());
    if (auto mechanism = MechanismOfName({names.data(), size})) Add(*mechanism, plugin);
    names.remove_prefix(std::min(size + 1, names.size()));
  }
}

int Initialize(const sasl_utils_t& utils, Plugin& plugin) {
  std::string_view socket = Option(utils, "sasld_socket", kDefaultSocket);
  if (socket.size() >= plugin.socket.size()) {
    utils.log(utils.conn, SASL_LOG_ERR, "sasld_socket has more than %d bytes",
              static_cast<int>(AdapterSocket::kMaxPathBytes));
    return SASL_CONFIGERR;
  }
  std::copy(socket.begin(), socket.end(), plugin.socket.begin());
  // As libsasl2 reads its own switches.
  std::string_view secured = Option(utils, "sasld_secured", "no");
  plugin.trusts_way = secured == "yes" || secured == "true" || secured == "on" || secured == "1";
  const char* why = "";
  AskAdapter(plugin, why);
  if (plugin.size == 0) {
    utils.log(utils.conn, SASL_LOG_WARN,
              "no mechanisms from sasld-adapter at %s: %s; sasld_mechanisms are offered",
              plugin.socket.data(), why);
    AddNamed(Option(utils, "sasld_mechanisms", kDefaultMechanisms), plugin);
  }
  return plugin.size > 0 ? SASL_OK : SASL_NOMECH;
}

}  // namespace
}  // namespace sasld::libsasl2

extern "C" __attribute__((visibility("default"))) int sasl_server_plug_init(
    const sasl_utils_t* utils, int max_version, int* out_version, sasl_server_plug_t** list,
    int* size) {
  using sasld::libsasl2::Plugin;
  *out_version = SASL_SERVER_PLUG_VERSION;
  *list = nullptr;
  *size = 0;
  if (max_version < SASL_SERVER_PLUG_VERSION) return SASL_BADVERS;
  // All of it zero, as libsasl2 wants what is not used.
  auto* plugin = static_cast<Plugin*>(utils->calloc(1, sizeof(Plugin)));
  if (plugin == nullptr) return SASL_NOMEM;
  int result = sasld::libsasl2::Initialize(*utils, *plugin);
  if (result != SASL_OK) {
    utils->free(plugin);
    return result;
  }
  plugin->held = static_cast<size_t>(plugin->size);
  *list = plugin->list.data();
  *size = plugin->size;
  return SASL_OK;
}
