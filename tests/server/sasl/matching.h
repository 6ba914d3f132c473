// What "nobody is let in wrongly" means, for each mechanism: a server that succeeds and an honest
// client have had the same conversation (Bellare and Rogaway's matching conversations), but for
// differences that the mechanism's RFC makes meaningless:
//
//   SCRAM-*      None. All that either side sent before the success is authenticated, byte by byte.
//   CRAM-MD5     The name's spelling: it is looked up after SASLprep and in lower case, and only
//                the challenge is signed.
//   DIGEST-MD5   Order, spacing, quoting and case of names of directives; the name's spelling as
//                above; a "qop=auth" more or less; directives that are not signed (charset, those
//                unknown). Of the challenge only realm and nonce count, and those come back signed.
//
// The others prove nothing about the conversation, so nothing but the message counts:
//
//   PLAIN        [authzid] NUL authcid NUL passwd, where authcid is the account's name after
//                SASLprep and in lower case, and passwd the password after SASLprep or, not being
//                UTF-8, read as Windows-1252.
//   LOGIN        The last two responses are authcid and passwd, likewise.
//   EXTERNAL     Empty, or an authzid that can be prepared, and is what is reported.
//   ANONYMOUS    At most 255 characters that SASLprep lets pass; the trace is its result.
#pragma once

#include <optional>
#include <string>

#include "tests/server/sasl/one_account.h"
#include "tests/server/sasl/sasl_client.h"

namespace sasld {

// Why `outcome`, a Success or AnonymousSuccess, is wrong after the server had the conversation
// `server` and the client, who has `settings`, had the conversation `client`. Nothing if it is
// right. A mechanism that is not listed above is never right.
std::optional<std::string> WhyWronglyLetIn(const RegisteredMechanism& mechanism,
                                           const Outcome& outcome, const Conversation& server,
                                           const Conversation& client,
                                           const ClientSettings& settings);

}  // namespace sasld
