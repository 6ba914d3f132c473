// saslctl app-password …
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "client/saslctl/invocation.h"
#include "client/saslctl/rules.h"

namespace sasld::saslctl {

// Holds the options of its commands; must outlive the parsing of `app`.
class AppPasswordCommands {
 public:
  explicit AppPasswordCommands(CLI::App& app);
  AppPasswordCommands(const AppPasswordCommands&) = delete;
  AppPasswordCommands& operator=(const AppPasswordCommands&) = delete;

  bool Chosen() const { return app_password_->parsed(); }
  // Runs the command that was parsed.
  absl::Status Run(const Invocation& invocation);

 private:
  absl::Status Add(const Invocation& invocation);
  absl::Status List(const Invocation& invocation);
  absl::Status Revoke(const Invocation& invocation);
  // What the server refused, with the user's name, and what helps.
  absl::Status About(const absl::Status& status) const;
  // A command with the NAME argument.
  CLI::App* Named(const std::string& command, const std::string& description);

  CLI::App* app_password_;
  CLI::App* add_;
  CLI::App* list_;
  CLI::App* revoke_;
  std::string name_;
  std::string id_;
  std::string label_;
  std::string expires_;
  AccessOptions access_;
};

}  // namespace sasld::saslctl
