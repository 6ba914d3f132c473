// saslctl backup
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "client/saslctl/connection.h"
#include "client/saslctl/invocation.h"

namespace sasld::saslctl {

// Must outlive the parsing of `app`.
class BackupCommand {
 public:
  explicit BackupCommand(CLI::App& app);
  BackupCommand(const BackupCommand&) = delete;
  BackupCommand& operator=(const BackupCommand&) = delete;

  bool Chosen() const { return backup_->parsed(); }
  absl::Status Run(const Invocation& invocation);

 private:
  CLI::App* backup_;
  std::string path_;
};

}  // namespace sasld::saslctl
