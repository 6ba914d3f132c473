// A mail client's certificate as the mail server passes it, to what sasld is told of it.
#pragma once

#include <optional>
#include <string>

#include "sasld/v1/sasl.pb.h"

namespace sasld {

// Takes one certificate in PEM apart. Names that are not text of at most 255 bytes are left off,
// and so are mail addresses after the 16th (sasl.proto, ClientCertificate). Unset: it is none.
// Whether its chain was verified is for the caller to know.
std::optional<v1::ClientCertificate> ReadClientCertificate(const std::string& pem);

}  // namespace sasld
