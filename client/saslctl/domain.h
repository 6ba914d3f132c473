// saslctl domain …
#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/saslctl/invocation.h"
#include "client/saslctl/output.h"
#include "client/saslctl/rules.h"
#include "sasld/v1/admin.pb.h"

namespace sasld::saslctl {

// The members name, enabled, epoch, require_app_password, send_only, those of AddAccessJson() and
// attributes.
Json DomainJson(const v1::Domain& domain);
// What it does to a user in one line, such as "example.org; disabled; app passwords only; any".
std::string DomainText(const v1::Domain& domain);

// Holds the options of its commands; must outlive the parsing of `app`.
class DomainCommands {
 public:
  explicit DomainCommands(CLI::App& app);
  DomainCommands(const DomainCommands&) = delete;
  DomainCommands& operator=(const DomainCommands&) = delete;

  bool Chosen() const { return domain_->parsed(); }
  // Runs the command that was parsed.
  absl::Status Run(const Invocation& invocation);

 private:
  absl::Status RunChosen(const Invocation& invocation);
  absl::Status Set(const Invocation& invocation);
  absl::Status Show(const Invocation& invocation);
  absl::Status List(const Invocation& invocation);
  absl::Status Delete(const Invocation& invocation);
  // InvalidArgument: no option says what to change.
  absl::StatusOr<v1::SetDomainRequest> Changes() const;
  // A command with the NAME argument.
  CLI::App* Named(const std::string& command, const std::string& description);
  void AddChanges();

  CLI::App* domain_;
  CLI::App* set_;
  CLI::App* show_;
  CLI::App* list_;
  CLI::App* delete_;
  std::string name_;
  bool yes_ = false;
  bool enable_ = false;
  bool disable_ = false;
  std::string require_app_password_;
  std::string send_only_;
  AccessChanges access_;
  AttributeChanges attributes_;
};

}  // namespace sasld::saslctl
