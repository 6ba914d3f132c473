// Dovecot's auth-master protocol as a server: who is the user whose mail a process is to serve or
// to deliver? Spoken by imap, pop3, submission and managesieve once a login process has handed them
// a user (REQUEST, dovecot_logins.h), and by lmtp, dovecot-lda, doveadm and others (USER, PASS,
// LIST).
//
// What it tells of an account are its attributes in sasld ("uid", "gid", "home", and settings of
// Dovecot's). sasld must allow such questions ([policy] account_lookups).
#pragma once

#include <memory>

#include "client/adapter/protocol.h"

namespace sasld {

// All commands.
std::unique_ptr<ProtocolSession> MakeDovecotMasterSession(const SessionFacts& facts);
// USER, PASS and LIST only. Strangers (SessionFacts::peer) learn of no account but those of their
// own uid.
std::unique_ptr<ProtocolSession> MakeDovecotUserdbSession(const SessionFacts& facts);

}  // namespace sasld
