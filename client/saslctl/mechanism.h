// saslctl mechanism …
#pragma once

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "client/saslctl/invocation.h"

namespace sasld::saslctl {

// Must outlive the parsing of `app`.
class MechanismCommands {
 public:
  explicit MechanismCommands(CLI::App& app);
  MechanismCommands(const MechanismCommands&) = delete;
  MechanismCommands& operator=(const MechanismCommands&) = delete;

  bool Chosen() const { return mechanism_->parsed(); }
  absl::Status Run(const Invocation& invocation);

 private:
  CLI::App* mechanism_;
};

}  // namespace sasld::saslctl
