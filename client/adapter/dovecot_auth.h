// Dovecot's auth-client protocol, version 1.2, as a server: what Postfix, Exim, Dovecot's login
// processes, chasquid, maddy and Prosody speak. Documentation: client/adapter/README.md has what we
// do otherwise than Dovecot, and why.
#pragma once

#include <memory>

#include "client/adapter/protocol.h"

namespace sasld {

std::unique_ptr<ProtocolSession> MakeDovecotAuthSession(const SessionFacts& facts);

}  // namespace sasld
