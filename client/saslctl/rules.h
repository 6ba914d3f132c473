// Rules and last uses, as they are given on a command line and as they are shown.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/saslctl/output.h"
#include "proto/common/status_macros.h"
#include "sasld/v1/admin.pb.h"

namespace sasld::saslctl {

// --service, --network and --mechanism, each as often as need be.
struct AccessOptions {
  std::vector<std::string> services;
  std::vector<std::string> networks;
  std::vector<std::string> mechanisms;
};
// Borrows `options` until `app` was parsed.
void AddAccessOptions(CLI::App& app, AccessOptions& options);

// A "yes" or "no" for `value`, which is empty if nothing was given.
void AddYesOrNo(CLI::App& command, const std::string& name, std::string& value,
                const std::string& description);
// A flag that cannot stand beside `option`.
void AddFlagAgainst(CLI::App& command, const std::string& name, bool& value,
                    const std::string& option, const std::string& description);
v1::SetUserRulesRequest::Names NamesOf(const std::vector<std::string>& list);

// Those of AddAccessOptions(), and an --any-… for each, which ends the limit.
class AccessChanges {
 public:
  // This must outlive the parsing of `command`.
  void AddTo(CLI::App& command);
  // Fills those of `request`'s services, networks and mechanisms that are to be changed.
  template <class Request>
  void Fill(Request& request) const {
    if (any_service_ || !access_.services.empty()) {
      *request.mutable_services() = NamesOf(access_.services);
    }
    if (any_network_ || !access_.networks.empty()) {
      *request.mutable_networks() = NamesOf(access_.networks);
    }
    if (any_mechanism_ || !access_.mechanisms.empty()) {
      *request.mutable_mechanisms() = NamesOf(access_.mechanisms);
    }
  }

 private:
  AccessOptions access_;
  bool any_service_ = false;
  bool any_network_ = false;
  bool any_mechanism_ = false;
};

// --attribute and --no-attribute, each as often as need be.
class AttributeChanges {
 public:
  // This must outlive the parsing of `command`. `description`: of --attribute.
  void AddTo(CLI::App& command, const std::string& description);
  // Fills `request`'s attributes and attributes_to_take_away. InvalidArgument: one is not
  // NAME=VALUE.
  template <class Request>
  absl::Status Fill(Request& request) const {
    for (const std::string& text : set_) {
      ASSIGN_OR_RETURN(auto attribute, Split(text));
      (*request.mutable_attributes())[attribute.first] = attribute.second;
    }
    for (const std::string& name : take_away_) request.add_attributes_to_take_away(name);
    return absl::OkStatus();
  }

 private:
  static absl::StatusOr<std::pair<std::string, std::string>> Split(const std::string& text);

  std::vector<std::string> set_;
  std::vector<std::string> take_away_;
};

// The members services, networks and mechanisms.
void AddAccessJson(const v1::Access& access, Json& json);
// "smtp, imap; from 192.0.2.0/24; by PLAIN", "any" for no limit.
std::string AccessText(const v1::Access& access);

// A line for each list.
Output::Rows AccessRows(const v1::Access& access);
std::string YesOrNo(bool is);

// Null for none.
Json LastUseJson(const v1::LastUse* last);
// "2026-11-24T10:00:00Z from 192.0.2.7 by PLAIN", "-" for none.
std::string LastUseText(const v1::LastUse* last);

// The members require_app_password, send_only, must_change_password, expires (null: never) and
// those of AddAccessJson().
Json RulesJson(const v1::UserRules& rules);
Output::Rows RulesRows(const v1::UserRules& rules);

}  // namespace sasld::saslctl
