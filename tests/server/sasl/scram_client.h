// A SCRAM client (RFC 5802) of any hash.
#pragma once

#include <memory>
#include <string_view>

#include "tests/server/sasl/sasl_client.h"

namespace sasld {

// Null if `mechanism` is no SCRAM that is known.
std::unique_ptr<SaslClient> MakeScramClient(std::string_view mechanism,
                                            const ClientSettings& settings);

}  // namespace sasld
