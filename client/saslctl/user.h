// saslctl user …
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "client/saslctl/connection.h"
#include "client/saslctl/invocation.h"
#include "client/saslctl/password_input.h"
#include "client/saslctl/user_set.h"

namespace sasld::saslctl {

// Holds the options of its commands; must outlive the parsing of `app`.
class UserCommands {
 public:
  explicit UserCommands(CLI::App& app);
  UserCommands(const UserCommands&) = delete;
  UserCommands& operator=(const UserCommands&) = delete;

  bool Chosen() const { return user_->parsed(); }
  // Runs the command that was parsed.
  absl::Status Run(const Invocation& invocation);

 private:
  absl::Status RunChosen(const Invocation& invocation);
  absl::Status Add(const Invocation& invocation);
  absl::Status ChangePassword(const Invocation& invocation);
  absl::Status List(const Invocation& invocation);
  absl::Status Show(const Invocation& invocation);
  absl::Status SetRules(const Invocation& invocation);
  absl::Status CheckSender(const Invocation& invocation);
  absl::Status SetEnabled(const Invocation& invocation, bool enabled);
  absl::Status Delete(const Invocation& invocation);
  // A command with the NAME argument.
  CLI::App* Named(const std::string& command, const std::string& description);

  CLI::App* user_;
  CLI::App* add_;
  CLI::App* passwd_;
  CLI::App* list_;
  CLI::App* show_;
  CLI::App* set_;
  CLI::App* may_send_;
  CLI::App* enable_;
  CLI::App* disable_;
  CLI::App* delete_;
  std::string name_;
  std::string address_;
  std::string prefix_;
  std::string domain_;
  bool create_disabled_ = false;
  bool yes_ = false;
  PasswordOptions new_password_;
  RuleOptions rules_;
};

}  // namespace sasld::saslctl
