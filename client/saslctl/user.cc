#include "client/saslctl/user.h"

#include <string_view>
#include <utility>

#include "absl/time/clock.h"
#include "client/saslctl/domain.h"
#include "client/saslctl/output.h"
#include "client/saslctl/rules.h"
#include "client/saslctl/terminal.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

// Bounds what one reply holds, not the list.
constexpr uint32_t kPageSize = 1000;

const v1::LastUse* LastUseOf(const v1::User& user) {
  return user.has_last_use() ? &user.last_use() : nullptr;
}

Output::Rows UserRows(const v1::User& user) {
  Output::Rows rows = {{"name", user.name()},
                       {"state", user.enabled() ? "enabled" : "disabled"},
                       {"created", TimeText(user.created())},
                       {"password changed", TimeText(user.password_changed())},
                       {"mechanisms", JoinNames(user.mechanisms())},
                       {"epoch", std::to_string(user.epoch())},
                       {"last used", LastUseText(LastUseOf(user))},
                       {"app passwords", std::to_string(user.app_passwords())},
                       {"aliases", JoinNames(user.aliases())},
                       {"senders", JoinNames(user.senders())}};
  for (auto& row : RulesRows(user.rules())) rows.push_back(std::move(row));
  rows.emplace_back("domain", user.has_domain() ? DomainText(user.domain()) : "-");
  for (const v1::EffectiveAttribute& one : user.effective_attributes()) {
    rows.emplace_back("attribute", one.name() + "=" + one.value() +
                                       (one.from_domain() ? " (of the domain)" : ""));
  }
  return rows;
}

// Tells of a change. In a table the only data is a generated password, so that
// `password=$(saslctl user add NAME --generate)` works; in JSON it is the user.
void TellChange(Output& output, const v1::User& user, const std::string& done,
                const Password* generated) {
  const std::string& name = user.name();
  if (output.format() == OutputFormat::kTable) {
    output.Note("user " + name + " " + done +
                (generated == nullptr ? "" : "; the password, shown this once:"));
    if (generated != nullptr) {
      std::string line(generated->Reveal());
      line += '\n';
      output.Data(line);
      Wipe(line);
    }
    return;
  }
  Json json = UserJson(user);
  if (generated != nullptr) json["password"] = std::string(generated->Reveal());
  output.Object(json, {});
}

// Obtains the user's new password and calls `method` with it. `request` is complete but for the
// password.
template <class Request>
absl::Status GivePassword(const Invocation& invocation, const PasswordOptions& options,
                          Request request,
                          grpc::Status (v1::Admin::Stub::*method)(grpc::ClientContext*,
                                                                  const Request&, v1::User*),
                          const std::string& done) {
  RETURN_IF_ERROR(RefusePasswordArgument(options));
  RETURN_IF_ERROR(CheckServer(invocation.server));
  ASSIGN_OR_RETURN(const Password password,
                   ObtainPassword(options, PasswordKind::kNew, request.name()));
  request.set_password(password.Reveal().data(), password.Reveal().size());
  const absl::StatusOr<v1::User> user =
      Connection(invocation.server, invocation.timeout).Call(method, request);
  Wipe(*request.mutable_password());
  RETURN_IF_ERROR(user.status());
  TellChange(invocation.output, *user, done, options.generate ? &password : nullptr);
  return absl::OkStatus();
}

// What the server refused, with what it does not repeat, the user's name, and what helps.
absl::Status AboutUser(const std::string& name, const absl::Status& status) {
  std::string text = "user " + name + ": " + std::string(status.message());
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return absl::NotFoundError(text + " (saslctl user list shows all)");
    case absl::StatusCode::kAlreadyExists:
      return absl::AlreadyExistsError(text);
    case absl::StatusCode::kFailedPrecondition:
      return absl::FailedPreconditionError(text);
    default:
      return status;
  }
}

}  // namespace

UserCommands::UserCommands(CLI::App& app)
    : user_(app.add_subcommand("user", "Add, change, list and delete users")) {
  user_->require_subcommand(1)->fallthrough();
  add_ =
      Named("add", "Add a user. Its password is asked for twice unless an option says otherwise");
  add_->add_flag("--disabled", create_disabled_, "The user cannot log in until enabled");
  AddPasswordOptions(*add_, PasswordKind::kNew, new_password_);
  passwd_ = Named("passwd", "Replace a user's password; the old one stops working at once");
  AddPasswordOptions(*passwd_, PasswordKind::kNew, new_password_);
  list_ = user_->add_subcommand("list", "List users in order of name")->fallthrough();
  list_->add_option("--prefix", prefix_, "Only names that begin so")->type_name("PREFIX");
  list_->add_option("--domain", domain_, "Only names that end in @DOMAIN")->type_name("DOMAIN");
  show_ = Named("show", "Show one user");
  set_ = Named("set", "Change a user's rules; what no option names stays as it is");
  rules_.AddTo(*set_);
  may_send_ = Named("may-send", "Tell whether a user may send as an address; status 4 if not");
  may_send_->add_option("ADDRESS", address_, "The sender, such as sales@example.org")
      ->required()
      ->type_name("");
  disable_ = Named("disable", "Let a user no longer log in");
  enable_ = Named("enable", "Let a user log in again");
  delete_ = Named("delete", "Delete a user, after a question on a terminal");
  delete_->add_flag("-y,--yes", yes_, "Do not ask");
}

CLI::App* UserCommands::Named(const std::string& command, const std::string& description) {
  CLI::App* named = user_->add_subcommand(command, description)->fallthrough();
  named->add_option("NAME", name_, "The user's name, such as ann@example.org")
      ->required()
      ->type_name("");
  return named;
}

absl::Status UserCommands::Run(const Invocation& invocation) {
  const absl::Status status = RunChosen(invocation);
  return name_.empty() ? status : AboutUser(name_, status);
}

absl::Status UserCommands::RunChosen(const Invocation& invocation) {
  if (add_->parsed()) return Add(invocation);
  if (passwd_->parsed()) return ChangePassword(invocation);
  if (list_->parsed()) return List(invocation);
  if (show_->parsed()) return Show(invocation);
  if (set_->parsed()) return SetRules(invocation);
  if (may_send_->parsed()) return CheckSender(invocation);
  if (enable_->parsed()) return SetEnabled(invocation, true);
  if (disable_->parsed()) return SetEnabled(invocation, false);
  return Delete(invocation);
}

absl::Status UserCommands::Add(const Invocation& invocation) {
  v1::CreateUserRequest request;
  request.set_name(name_);
  request.set_disabled(create_disabled_);
  const absl::Status status =
      GivePassword(invocation, new_password_, std::move(request), &v1::Admin::Stub::CreateUser,
                   create_disabled_ ? "added, disabled" : "added");
  if (!absl::IsAlreadyExists(status)) return status;
  return absl::AlreadyExistsError(std::string(status.message()) +
                                  " (saslctl user passwd gives it another password)");
}

absl::Status UserCommands::ChangePassword(const Invocation& invocation) {
  v1::SetPasswordRequest request;
  request.set_name(name_);
  return GivePassword(invocation, new_password_, std::move(request), &v1::Admin::Stub::SetPassword,
                      "has a new password");
}

absl::Status UserCommands::List(const Invocation& invocation) {
  RETURN_IF_ERROR(CheckServer(invocation.server));
  Connection connection(invocation.server, invocation.timeout);
  UserListing listing(invocation.output);
  v1::ListUsersRequest request;
  request.set_prefix(prefix_);
  request.set_domain(domain_);
  request.set_page_size(kPageSize);
  do {
    ASSIGN_OR_RETURN(const v1::ListUsersReply page,
                     connection.Call(&v1::Admin::Stub::ListUsers, request));
    listing.Page(page.users());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && !invocation.output.reader_gone());
  listing.End();
  return absl::OkStatus();
}

absl::Status UserCommands::Show(const Invocation& invocation) {
  RETURN_IF_ERROR(CheckServer(invocation.server));
  v1::GetUserRequest request;
  request.set_name(name_);
  ASSIGN_OR_RETURN(
      const v1::User user,
      Connection(invocation.server, invocation.timeout).Call(&v1::Admin::Stub::GetUser, request));
  Json json = UserJson(user);
  json["last_use"] = LastUseJson(LastUseOf(user));
  json["domain"] = user.has_domain() ? DomainJson(user.domain()) : Json(nullptr);
  json["effective_attributes"] = Json::array();
  for (const v1::EffectiveAttribute& one : user.effective_attributes()) {
    json["effective_attributes"].push_back(
        {{"name", one.name()}, {"value", one.value()}, {"from_domain", one.from_domain()}});
  }
  invocation.output.Object(json, UserRows(user));
  return absl::OkStatus();
}

absl::Status UserCommands::SetRules(const Invocation& invocation) {
  ASSIGN_OR_RETURN(v1::SetUserRulesRequest request, rules_.Request(absl::Now()));
  RETURN_IF_ERROR(CheckServer(invocation.server));
  request.set_name(name_);
  ASSIGN_OR_RETURN(const v1::User user, Connection(invocation.server, invocation.timeout)
                                            .Call(&v1::Admin::Stub::SetUserRules, request));
  TellChange(invocation.output, user, "changed", nullptr);
  return absl::OkStatus();
}

absl::Status UserCommands::CheckSender(const Invocation& invocation) {
  RETURN_IF_ERROR(CheckServer(invocation.server));
  v1::CheckSenderRequest request;
  request.set_name(name_);
  request.set_address(address_);
  ASSIGN_OR_RETURN(const v1::CheckSenderReply reply,
                   Connection(invocation.server, invocation.timeout)
                       .Call(&v1::Admin::Stub::CheckSender, request));
  if (reply.by().empty()) {
    return absl::PermissionDeniedError("user " + name_ + " may not send as " + address_ +
                                       " (saslctl user set --sender lets him)");
  }
  Json json;
  json["name"] = name_;
  json["address"] = address_;
  json["by"] = reply.by();
  invocation.output.Object(json, {{"may send as", address_}, {"by", reply.by()}});
  return absl::OkStatus();
}

absl::Status UserCommands::SetEnabled(const Invocation& invocation, bool enabled) {
  RETURN_IF_ERROR(CheckServer(invocation.server));
  v1::SetUserEnabledRequest request;
  request.set_name(name_);
  request.set_enabled(enabled);
  ASSIGN_OR_RETURN(const v1::User user, Connection(invocation.server, invocation.timeout)
                                            .Call(&v1::Admin::Stub::SetUserEnabled, request));
  TellChange(invocation.output, user, enabled ? "enabled" : "disabled", nullptr);
  return absl::OkStatus();
}

absl::Status UserCommands::Delete(const Invocation& invocation) {
  RETURN_IF_ERROR(CheckServer(invocation.server));
  if (!yes_) RETURN_IF_ERROR(Confirm("Delete user " + Printable(name_) + "?", "not deleted"));
  v1::DeleteUserRequest request;
  request.set_name(name_);
  RETURN_IF_ERROR(Connection(invocation.server, invocation.timeout)
                      .Call(&v1::Admin::Stub::DeleteUser, request)
                      .status());
  if (invocation.output.format() == OutputFormat::kTable) {
    invocation.output.Note("user " + name_ + " deleted");
  } else {
    invocation.output.Object(Json{{"name", name_}, {"deleted", true}}, {});
  }
  return absl::OkStatus();
}

}  // namespace sasld::saslctl
