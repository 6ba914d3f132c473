// What every command is given beside its own options.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "client/saslctl/output.h"

namespace sasld::saslctl {

struct Invocation {
  std::string server;  // "unix:PATH"
  absl::Duration timeout;
  Output& output;
};

}  // namespace sasld::saslctl
