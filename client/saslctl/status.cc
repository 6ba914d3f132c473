#include "client/saslctl/status.h"

#include <string>

#include "client/saslctl/connection.h"
#include "client/saslctl/output.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

Json StatusJson(const v1::GetStatusReply& reply) {
  Json json;
  json["version"] = reply.version();
  json["started"] = TimeText(reply.started());
  json["store"]["url"] = reply.store_url();
  json["store"]["error"] = reply.store_error().empty() ? Json(nullptr) : Json(reply.store_error());
  json["users"] = reply.users();
  json["mechanisms"] = Json::array();
  for (const std::string& mechanism : reply.mechanisms()) json["mechanisms"].push_back(mechanism);
  json["lane"]["threads"] = reply.lane_threads();
  json["lane"]["queued"] = reply.lane_queued();
  json["lane"]["capacity"] = reply.lane_capacity();
  json["steps"]["successes"] = reply.successes();
  json["steps"]["failures"] = reply.failures();
  json["steps"]["temporary_failures"] = reply.temporary_failures();
  return json;
}

Output::Rows StatusRows(const v1::GetStatusReply& reply) {
  const bool readable = reply.store_error().empty();
  return {{"version", reply.version()},
          {"running since", TimeText(reply.started())},
          {"store", reply.store_url() + (readable ? "" : " (" + reply.store_error() + ")")},
          {"users", readable ? std::to_string(reply.users()) : "unknown"},
          {"mechanisms", JoinNames(reply.mechanisms())},
          {"password lane", std::to_string(reply.lane_threads()) + " threads, " +
                                std::to_string(reply.lane_queued()) + " of " +
                                std::to_string(reply.lane_capacity()) + " places taken"},
          {"logins accepted", std::to_string(reply.successes())},
          {"logins refused", std::to_string(reply.failures())},
          {"temporary failures", std::to_string(reply.temporary_failures())}};
}

}  // namespace

StatusCommand::StatusCommand(CLI::App& app)
    : status_(app.add_subcommand("status",
                                 "Show how the server does. Exit status 7 if it cannot "
                                 "read its store")) {
  status_->fallthrough();
}

absl::Status StatusCommand::Run(const Invocation& invocation) {
  RETURN_IF_ERROR(CheckServer(invocation.server));
  ASSIGN_OR_RETURN(const v1::GetStatusReply reply,
                   Connection(invocation.server, invocation.timeout)
                       .Call(&v1::Admin::Stub::GetStatus, v1::GetStatusRequest()));
  invocation.output.Object(StatusJson(reply), StatusRows(reply));
  if (reply.store_error().empty()) return absl::OkStatus();
  return absl::UnavailableError("the server cannot read its store: " + reply.store_error());
}

}  // namespace sasld::saslctl
