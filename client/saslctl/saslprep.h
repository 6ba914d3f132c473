// SASLprep (RFC 4013), as a client applies it to the name and password it was given.
#pragma once

#include <string>
#include <string_view>

#include "client/saslctl/password.h"

namespace sasld::saslctl {

// As a query string. `text` itself where SASLprep refuses it, so that the server's judgement can be
// seen.
std::string Prepared(std::string_view text);
Password PreparedPassword(const Password& password);

}  // namespace sasld::saslctl
