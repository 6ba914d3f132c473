#include "client/saslctl/user.h"

#include <string_view>
#include <utility>

#include "client/saslctl/output.h"
#include "client/saslctl/terminal.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

// Bounds what one reply holds, not the list.
constexpr uint32_t kPageSize = 1000;

Output::Rows UserRows(const v1::User& user) {
  return {{"name", user.name()},
          {"state", user.enabled() ? "enabled" : "disabled"},
          {"created", TimeText(user.created())},
          {"password changed", TimeText(user.password_changed())},
          {"mechanisms", JoinNames(user.mechanisms())},
          {"epoch", std::to_string(user.epoch())}};
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

absl::Status ConfirmDelete(const std::string& name) {
  absl::StatusOr<Terminal> terminal = Terminal::Open();
  if (!terminal.ok()) {
    return absl::InvalidArgumentError("no terminal to ask for confirmation on: use --yes");
  }
  ASSIGN_OR_RETURN(const Password answer,
                   terminal->ReadLine("Delete user " + Printable(name) + "? [y/N] ", Echo::kOn));
  const std::string_view word = answer.Reveal();
  if (word == "y" || word == "Y" || word == "yes") return absl::OkStatus();
  return absl::CancelledError("not deleted");
}

}  // namespace

UserCommands::UserCommands(CLI::App& app)
    : user_(app.add_subcommand("user", "Add, change, list and delete users")) {
  user_->require_subcommand(1)->fallthrough();
  add_ =
      Named("add", "Add a user. Its password is asked for twice unless an option says otherwise");
  add_->add_flag("--disabled", create_disabled_, "The user cannot log in until enabled");
  AddPasswordOptions(*add_, PasswordKind::kNew, add_password_);
  passwd_ = Named("passwd", "Replace a user's password; the old one stops working at once");
  AddPasswordOptions(*passwd_, PasswordKind::kNew, passwd_password_);
  list_ = user_->add_subcommand("list", "List users in order of name")->fallthrough();
  list_->add_option("--prefix", prefix_, "Only names that begin so")->type_name("PREFIX");
  show_ = Named("show", "Show one user");
  disable_ = Named("disable", "Let a user no longer log in");
  enable_ = Named("enable", "Let a user log in again");
  delete_ = Named("delete", "Delete a user, after a question on a terminal");
  delete_->add_flag("-y,--yes", yes_, "Do not ask");
}

CLI::App* UserCommands::Named(const std::string& command, const std::string& description) {
  CLI::App* named = user_->add_subcommand(command, description)->fallthrough();
  named->add_option("name", name_, "The user's name, such as ann@example.org")
      ->required()
      ->type_name("NAME");
  return named;
}

absl::Status UserCommands::Run(const Invocation& invocation) {
  if (add_->parsed()) return Add(invocation);
  if (passwd_->parsed()) return ChangePassword(invocation);
  if (list_->parsed()) return List(invocation);
  if (show_->parsed()) return Show(invocation);
  if (enable_->parsed()) return SetEnabled(invocation, true);
  if (disable_->parsed()) return SetEnabled(invocation, false);
  return Delete(invocation);
}

absl::Status UserCommands::Add(const Invocation& invocation) {
  RETURN_IF_ERROR(RefusePasswordArgument(add_password_));
  RETURN_IF_ERROR(CheckServer(invocation.server));
  ASSIGN_OR_RETURN(const Password password,
                   ObtainPassword(add_password_, PasswordKind::kNew, name_));
  v1::CreateUserRequest request;
  request.set_name(name_);
  request.set_password(password.Reveal().data(), password.Reveal().size());
  request.set_disabled(create_disabled_);
  absl::StatusOr<v1::User> user =
      Connection(invocation.server, invocation.timeout).Call(&v1::Admin::Stub::CreateUser, request);
  Wipe(*request.mutable_password());
  RETURN_IF_ERROR(user.status());
  TellChange(invocation.output, *user, create_disabled_ ? "added, disabled" : "added",
             add_password_.generate ? &password : nullptr);
  return absl::OkStatus();
}

absl::Status UserCommands::ChangePassword(const Invocation& invocation) {
  RETURN_IF_ERROR(RefusePasswordArgument(passwd_password_));
  RETURN_IF_ERROR(CheckServer(invocation.server));
  ASSIGN_OR_RETURN(const Password password,
                   ObtainPassword(passwd_password_, PasswordKind::kNew, name_));
  v1::SetPasswordRequest request;
  request.set_name(name_);
  request.set_password(password.Reveal().data(), password.Reveal().size());
  absl::StatusOr<v1::User> user = Connection(invocation.server, invocation.timeout)
                                      .Call(&v1::Admin::Stub::SetPassword, request);
  Wipe(*request.mutable_password());
  RETURN_IF_ERROR(user.status());
  TellChange(invocation.output, *user, "has a new password",
             passwd_password_.generate ? &password : nullptr);
  return absl::OkStatus();
}

absl::Status UserCommands::List(const Invocation& invocation) {
  RETURN_IF_ERROR(CheckServer(invocation.server));
  Connection connection(invocation.server, invocation.timeout);
  UserListing listing(invocation.output);
  v1::ListUsersRequest request;
  request.set_prefix(prefix_);
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
  invocation.output.Object(UserJson(user), UserRows(user));
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
  if (!yes_) RETURN_IF_ERROR(ConfirmDelete(name_));
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
