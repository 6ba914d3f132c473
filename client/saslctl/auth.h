// saslctl auth test
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "client/saslctl/invocation.h"
#include "client/saslctl/password_input.h"

namespace sasld::saslctl {

// Holds the options of its command; must outlive the parsing of `app`.
class AuthCommands {
 public:
  explicit AuthCommands(CLI::App& app);
  AuthCommands(const AuthCommands&) = delete;
  AuthCommands& operator=(const AuthCommands&) = delete;

  bool Chosen() const { return auth_->parsed(); }
  // Plays the client in a real exchange and shows what came of it. PermissionDenied: refused.
  // Unavailable: the server could not decide. Internal: the server broke the mechanism's rules.
  absl::Status Run(const Invocation& invocation);

 private:
  CLI::App* auth_;
  std::string name_;
  std::string mechanism_ = "SCRAM-SHA-256";
  std::string service_ = "smtp";
  std::string remote_ip_;
  bool insecure_ = false;
  PasswordOptions password_;
};

}  // namespace sasld::saslctl
