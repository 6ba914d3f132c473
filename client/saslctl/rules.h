// Rules and last uses, as they are given on a command line and as they are shown.
#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "client/saslctl/output.h"
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

// The members services, networks and mechanisms.
void AddAccessJson(const v1::Access& access, Json& json);
// "smtp, imap; from 192.0.2.0/24; by PLAIN", "any" for no limit.
std::string AccessText(const v1::Access& access);

// Null for none.
Json LastUseJson(const v1::LastUse* last);
// "2026-11-24T10:00:00Z from 192.0.2.7 by PLAIN", "-" for none.
std::string LastUseText(const v1::LastUse* last);

// The members require_app_password, send_only, must_change_password, expires (null: never) and
// those of AddAccessJson().
Json RulesJson(const v1::UserRules& rules);
Output::Rows RulesRows(const v1::UserRules& rules);

}  // namespace sasld::saslctl
