#include "client/adapter/protocols.h"

#include "client/adapter/dovecot_auth.h"
#include "client/adapter/dovecot_master.h"
#include "client/adapter/nginx_auth_http.h"
#include "client/adapter/saslauthd.h"

namespace sasld {
namespace {

constexpr Protocol kProtocols[] = {
    {"dovecot-auth", MakeDovecotAuthSession, "\nDONE\n"},
    {"dovecot-login", MakeDovecotLoginSession, "VERSION\t"},
    {"dovecot-master", MakeDovecotMasterSession, "\nSPID\t", false, /*claims_logins=*/true},
    {"dovecot-userdb", MakeDovecotUserdbSession, "\nSPID\t"},
    {"saslauthd", MakeSaslauthdSession},
    {"nginx-auth-http", MakeNginxAuthHttpSession, "", /*needs_backends=*/true},
};

}  // namespace

const Protocol* FindProtocol(std::string_view name) {
  for (const Protocol& protocol : kProtocols) {
    if (protocol.name == name) return &protocol;
  }
  return nullptr;
}

std::string ProtocolNames() {
  std::string names;
  for (const Protocol& protocol : kProtocols) {
    if (!names.empty()) names += ", ";
    names += protocol.name;
  }
  return names;
}

}  // namespace sasld
