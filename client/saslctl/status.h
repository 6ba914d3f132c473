// saslctl status
#pragma once

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "client/saslctl/invocation.h"

namespace sasld::saslctl {

class StatusCommand {
 public:
  explicit StatusCommand(CLI::App& app);
  StatusCommand(const StatusCommand&) = delete;
  StatusCommand& operator=(const StatusCommand&) = delete;

  bool Chosen() const { return status_->parsed(); }
  // Unavailable, after the status is shown: the server cannot read its store.
  absl::Status Run(const Invocation& invocation);

 private:
  CLI::App* status_;
};

}  // namespace sasld::saslctl
