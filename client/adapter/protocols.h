// THE LIST of protocols: from the name in the configuration to a constructor.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "client/adapter/protocol.h"

namespace sasld {

struct Protocol {
  std::string_view name;
  std::unique_ptr<ProtocolSession> (*make_session)(const SessionFacts& facts);
  // What its greeting has for certain; empty where the client speaks first.
  std::string_view greeting_has = {};
  bool needs_backends = false;  // [listen.backends]
  // Its clients come for logins that were granted on other connections: see dovecot_logins.h.
  bool claims_logins = false;
};

// Null for a name that is not in the list.
const Protocol* FindProtocol(std::string_view name);

// "dovecot-auth, …", for error texts.
std::string ProtocolNames();

}  // namespace sasld
