// saslctl user set: which rules of a user are to change.
#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/saslctl/rules.h"
#include "sasld/v1/admin.pb.h"

namespace sasld::saslctl {

// Must outlive the parsing of the command that it is given to.
class RuleOptions {
 public:
  void AddTo(CLI::App& command);

  // What was given, but for the user's name. InvalidArgument: nothing was, or what makes no sense.
  absl::StatusOr<v1::SetUserRulesRequest> Request(absl::Time now) const;

 private:
  std::string require_app_password_;
  std::string send_only_;
  std::string must_change_;
  std::string expires_;
  AccessChanges access_;
  std::vector<std::string> aliases_;
  bool no_alias_ = false;
  std::vector<std::string> senders_;
  bool no_sender_ = false;
  AttributeChanges attributes_;
};

}  // namespace sasld::saslctl
