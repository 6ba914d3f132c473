// Dovecot's auth-client protocol, versions 1.0 to 1.4, as a server: what Postfix, Exim, Dovecot's
// login processes, chasquid, maddy and Prosody speak. client/adapter/README.md has the dialogue,
// the .cc what we do otherwise than Dovecot, and why.
#pragma once

#include <memory>

#include "client/adapter/protocol.h"

namespace sasld {

// For mail servers.
std::unique_ptr<ProtocolSession> MakeDovecotAuthSession(const SessionFacts& facts);
// For Dovecot's login processes (imap-login and the like), whose users' mail processes come to a
// socket of dovecot_master.h with the same facts.logins.
std::unique_ptr<ProtocolSession> MakeDovecotLoginSession(const SessionFacts& facts);

}  // namespace sasld
