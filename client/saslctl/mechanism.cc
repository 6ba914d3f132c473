#include "client/saslctl/mechanism.h"

#include <string>

#include "client/saslctl/connection.h"
#include "client/saslctl/output.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

std::string Line(std::string name, const std::string& state, const std::string& users) {
  name.resize(24, ' ');
  name += state;
  name.resize(32, ' ');
  return name + users + "\n";
}

// Rounded down: 100 % means all of them.
std::string Share(uint64_t part, uint64_t whole) {
  if (whole == 0) return "-";
  return std::to_string(part) + " of " + std::to_string(whole) + " (" +
         std::to_string(part * 100 / whole) + " %)";
}

}  // namespace

MechanismCommands::MechanismCommands(CLI::App& app)
    : mechanism_(app.add_subcommand("mechanism", "Tell what the mechanisms could be used by")) {
  mechanism_->require_subcommand(1)->fallthrough();
  mechanism_
      ->add_subcommand("coverage",
                       "Tell how many users could log in by each mechanism, by what is kept of "
                       "their passwords")
      ->fallthrough();
}

absl::Status MechanismCommands::Run(const Invocation& invocation) {
  RETURN_IF_ERROR(CheckServer(invocation.server));
  ASSIGN_OR_RETURN(
      const v1::GetMechanismCoverageReply reply,
      Connection(invocation.server, invocation.timeout)
          .Call(&v1::Admin::Stub::GetMechanismCoverage, v1::GetMechanismCoverageRequest()));
  Output& output = invocation.output;
  if (output.format() == OutputFormat::kJson) {
    Json json;
    json["users"] = reply.users();
    json["mechanisms"] = Json::array();
    for (const v1::MechanismCoverage& mechanism : reply.mechanisms()) {
      Json one;
      one["name"] = mechanism.name();
      one["enabled"] = mechanism.enabled();
      one["users"] = mechanism.users();
      json["mechanisms"].push_back(one);
    }
    output.Object(json, {});
    return absl::OkStatus();
  }
  output.Data(Line("MECHANISM", "STATE", "USERS"));
  for (const v1::MechanismCoverage& mechanism : reply.mechanisms()) {
    output.Data(Line(Printable(mechanism.name()), mechanism.enabled() ? "on" : "off",
                     Share(mechanism.users(), reply.users())));
  }
  return absl::OkStatus();
}

}  // namespace sasld::saslctl
