// What nginx's mail module asks its auth_http server, as that server: nginx has taken a login off
// an IMAP, POP3 or SMTP client, and wants to know whether it is right and which mail server the
// client is to be passed on to.
//
//   request = GET … HTTP/1.0, the login in headers       nginx_auth_request.h
//   reply   = 200, Auth-Status: OK, Auth-Server, Auth-Port, Auth-User
//           | 200, Auth-Status: what to tell the client, Auth-Wait, for SMTP Auth-Error-Code
//
// One request a connection. nginx has the password in its hands, so the step is one of PLAIN
// (RFC 4616); of EXTERNAL (RFC 4422) where it passes on the client's certificate.
#pragma once

#include <memory>

#include "client/adapter/protocol.h"

namespace sasld {

std::unique_ptr<ProtocolSession> MakeNginxAuthHttpSession(const SessionFacts& facts);

}  // namespace sasld
