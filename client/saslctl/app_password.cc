#include "client/saslctl/app_password.h"

#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "client/saslctl/connection.h"
#include "client/saslctl/expiry.h"
#include "client/saslctl/output.h"
#include "client/saslctl/password.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

std::string ExpiryText(const v1::AppPassword& one) {
  return one.has_expires() ? TimeText(one.expires()) : "never";
}

const v1::LastUse* LastUseOf(const v1::AppPassword& one) {
  return one.has_last_use() ? &one.last_use() : nullptr;
}

Json AppPasswordJson(const v1::AppPassword& one) {
  Json json;
  json["id"] = one.id();
  json["label"] = one.label();
  json["created"] = TimeText(one.created());
  json["expires"] = one.has_expires() ? Json(TimeText(one.expires())) : Json(nullptr);
  AddAccessJson(one.access(), json);
  json["last_use"] = LastUseJson(LastUseOf(one));
  return json;
}

}  // namespace

AppPasswordCommands::AppPasswordCommands(CLI::App& app)
    : app_password_(app.add_subcommand("app-password",
                                       "Add, list and revoke app passwords: one for each device")) {
  app_password_->require_subcommand(1)->fallthrough();
  add_ = Named("add", "Make an app password. It is shown this once");
  add_->add_option("--label", label_, "What its owner calls it, such as \"Ann's phone\"")
      ->required()
      ->type_name("TEXT");
  AddAccessOptions(*add_, access_);
  add_->add_option("--expires", expires_, "When it lets nobody in any more")->type_name("WHEN");
  list_ = Named("list", "List a user's app passwords, and when they were used last");
  revoke_ = Named("revoke", "Revoke an app password; it stops working at once");
  revoke_->add_option("ID", id_, "Its id, as list shows it")->required()->type_name("");
}

CLI::App* AppPasswordCommands::Named(const std::string& command, const std::string& description) {
  CLI::App* named = app_password_->add_subcommand(command, description)->fallthrough();
  named->add_option("NAME", name_, "The user's name, such as ann@example.org")
      ->required()
      ->type_name("");
  return named;
}

absl::Status AppPasswordCommands::Run(const Invocation& invocation) {
  RETURN_IF_ERROR(CheckServer(invocation.server));
  if (add_->parsed()) return About(Add(invocation));
  if (list_->parsed()) return About(List(invocation));
  return About(Revoke(invocation));
}

absl::Status AppPasswordCommands::About(const absl::Status& status) const {
  std::string text = "user " + name_ + ": " + std::string(status.message());
  if (absl::IsFailedPrecondition(status)) return absl::FailedPreconditionError(text);
  if (!absl::IsNotFound(status)) return status;
  return absl::NotFoundError(text + (revoke_->parsed()
                                         ? " (saslctl app-password list NAME shows all of a user)"
                                         : " (saslctl user list shows all)"));
}

absl::Status AppPasswordCommands::Add(const Invocation& invocation) {
  v1::AddAppPasswordRequest request;
  request.set_name(name_);
  request.set_label(label_);
  for (const std::string& one : access_.services) request.mutable_access()->add_services(one);
  for (const std::string& one : access_.networks) request.mutable_access()->add_networks(one);
  for (const std::string& one : access_.mechanisms) request.mutable_access()->add_mechanisms(one);
  if (!expires_.empty()) {
    ASSIGN_OR_RETURN(const absl::Time expires, ParseExpiry(expires_, absl::Now()));
    if (expires != absl::InfiniteFuture()) {
      request.mutable_expires()->set_seconds(absl::ToUnixSeconds(expires));
    }
  }
  ASSIGN_OR_RETURN(v1::AddAppPasswordReply reply,
                   Connection(invocation.server, invocation.timeout)
                       .Call(&v1::Admin::Stub::AddAppPassword, request));
  std::string& text = *reply.mutable_password();
  if (invocation.output.format() == OutputFormat::kTable) {
    invocation.output.Note("app password " + reply.app_password().id() + " of user " + name_ +
                           " added; shown this once:");
    text += '\n';
    invocation.output.Data(text);
  } else {
    Json json = AppPasswordJson(reply.app_password());
    json["password"] = text;
    invocation.output.Object(json, {});
  }
  Wipe(text);
  return absl::OkStatus();
}

absl::Status AppPasswordCommands::List(const Invocation& invocation) {
  v1::ListAppPasswordsRequest request;
  request.set_name(name_);
  ASSIGN_OR_RETURN(const v1::ListAppPasswordsReply reply,
                   Connection(invocation.server, invocation.timeout)
                       .Call(&v1::Admin::Stub::ListAppPasswords, request));
  Json json = Json::array();
  std::vector<Output::Line> lines = {{"ID", "LABEL", "ALLOWED", "EXPIRES", "LAST USED"}};
  for (const v1::AppPassword& one : reply.app_passwords()) {
    json.push_back(AppPasswordJson(one));
    lines.push_back({one.id(), one.label(), AccessText(one.access()), ExpiryText(one),
                     LastUseText(LastUseOf(one))});
  }
  if (invocation.output.format() == OutputFormat::kTable && reply.app_passwords().empty()) {
    invocation.output.Note("user " + name_ + " has no app passwords");
  } else {
    invocation.output.Table(json, lines);
  }
  return absl::OkStatus();
}

absl::Status AppPasswordCommands::Revoke(const Invocation& invocation) {
  v1::RevokeAppPasswordRequest request;
  request.set_name(name_);
  request.set_id(id_);
  RETURN_IF_ERROR(Connection(invocation.server, invocation.timeout)
                      .Call(&v1::Admin::Stub::RevokeAppPassword, request)
                      .status());
  if (invocation.output.format() == OutputFormat::kTable) {
    invocation.output.Note("app password " + id_ + " of user " + name_ + " revoked");
  } else {
    invocation.output.Object(Json{{"name", name_}, {"id", id_}, {"revoked", true}}, {});
  }
  return absl::OkStatus();
}

}  // namespace sasld::saslctl
