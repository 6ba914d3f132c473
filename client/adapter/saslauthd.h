// saslauthd's protocol on its socket "mux", as a server: what libsasl2 speaks with pwcheck_method
// saslauthd (Postfix with smtpd_sasl_type = cyrus, Sendmail, Cyrus IMAP, OpenLDAP's {SASL}), and
// Exim's condition saslauthd.
//
//   request = user password service realm [client]     each: length (2 bytes, big endian), bytes
//   reply   = "OK" or "NO"                             the same
//
// One request a connection. It is about a password that the mail server has in its hands, so the
// step is one of PLAIN (RFC 4616). Only a connection that ends without a reply says "try again
// later".
#pragma once

#include <memory>

#include "client/adapter/protocol.h"

namespace sasld {

std::unique_ptr<ProtocolSession> MakeSaslauthdSession(const SessionFacts& facts);

}  // namespace sasld
