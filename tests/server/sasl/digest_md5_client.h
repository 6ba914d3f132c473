// A DIGEST-MD5 client (RFC 2831), for authentication only.
#pragma once

#include <memory>

#include "tests/server/sasl/sasl_client.h"

namespace sasld {

std::unique_ptr<SaslClient> MakeDigestMd5Client(const ClientSettings& settings);

}  // namespace sasld
