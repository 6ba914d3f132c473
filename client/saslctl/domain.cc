#include "client/saslctl/domain.h"

#include "client/saslctl/connection.h"
#include "client/saslctl/terminal.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

constexpr uint32_t kPageSize = 1000;

const char* StateOf(const v1::Domain& domain) { return domain.enabled() ? "enabled" : "disabled"; }

// In order of name, which a map of the contract has not.
std::map<std::string, std::string> AttributesOf(const v1::Domain& domain) {
  return {domain.attributes().begin(), domain.attributes().end()};
}

Output::Rows DomainRows(const v1::Domain& domain) {
  Output::Rows rows = {{"name", domain.name()},
                       {"state", StateOf(domain)},
                       {"epoch", std::to_string(domain.epoch())},
                       {"require app password", YesOrNo(domain.require_app_password())},
                       {"send only", YesOrNo(domain.send_only())}};
  for (auto& row : AccessRows(domain.access())) rows.push_back(std::move(row));
  for (const auto& [name, value] : AttributesOf(domain)) {
    rows.emplace_back("attribute", name + "=" + value);
  }
  return rows;
}

absl::Status AboutDomain(const std::string& name, const absl::Status& status) {
  const std::string text = "domain " + name + ": " + std::string(status.message());
  if (absl::IsFailedPrecondition(status)) return absl::FailedPreconditionError(text);
  if (!absl::IsNotFound(status)) return status;
  return absl::NotFoundError(text +
                             " (saslctl domain list shows all, saslctl domain set makes one)");
}

}  // namespace

Json DomainJson(const v1::Domain& domain) {
  Json json;
  json["name"] = domain.name();
  json["enabled"] = domain.enabled();
  json["epoch"] = domain.epoch();
  json["require_app_password"] = domain.require_app_password();
  json["send_only"] = domain.send_only();
  AddAccessJson(domain.access(), json);
  json["attributes"] = Json::object();
  for (const auto& [name, value] : AttributesOf(domain)) json["attributes"][name] = value;
  return json;
}

std::string DomainText(const v1::Domain& domain) {
  std::string text = domain.name();
  if (!domain.enabled()) text += "; disabled";
  if (domain.require_app_password()) text += "; app passwords only";
  if (domain.send_only()) text += "; send only";
  return text + "; " + AccessText(domain.access());
}

DomainCommands::DomainCommands(CLI::App& app)
    : domain_(app.add_subcommand("domain",
                                 "Set, show, list and delete domains: what holds for "
                                 "their users by default")) {
  domain_->require_subcommand(1)->fallthrough();
  set_ = Named("set", "Make a domain, or change one; what no option names stays as it is");
  AddChanges();
  show_ = Named("show", "Show one domain");
  list_ = domain_->add_subcommand("list", "List domains in order of name")->fallthrough();
  delete_ = Named("delete", "Delete a domain, after a question on a terminal; its users stay");
  delete_->add_flag("-y,--yes", yes_, "Do not ask");
}

CLI::App* DomainCommands::Named(const std::string& command, const std::string& description) {
  CLI::App* named = domain_->add_subcommand(command, description)->fallthrough();
  named->add_option("NAME", name_, "The domain's name, such as example.org")
      ->required()
      ->type_name("");
  return named;
}

void DomainCommands::AddChanges() {
  set_->add_flag("--enable", enable_, "Let its users log in again");
  AddFlagAgainst(*set_, "--disable", disable_, "--enable", "Let none of its users log in");
  AddYesOrNo(*set_, "--require-app-password", require_app_password_,
             "Whether its users' own passwords let nobody in, but app passwords");
  AddYesOrNo(*set_, "--send-only", send_only_,
             "Whether its users may submit mail and use no other service");
  access_.AddTo(*set_);
  attributes_.AddTo(*set_,
                    "An attribute, in which %u is the user's name, %n what is before its @, %d the "
                    "domain and %% a "
                    "percent sign; may be repeated");
}

absl::StatusOr<v1::SetDomainRequest> DomainCommands::Changes() const {
  v1::SetDomainRequest request;
  if (enable_ || disable_) request.set_enabled(enable_);
  if (!require_app_password_.empty()) {
    request.set_require_app_password(require_app_password_ == "yes");
  }
  if (!send_only_.empty()) request.set_send_only(send_only_ == "yes");
  access_.Fill(request);
  RETURN_IF_ERROR(attributes_.Fill(request));
  if (request.ByteSizeLong() > 0) return request;
  return absl::InvalidArgumentError(
      "nothing to change: give an option (saslctl domain set --help tells more)");
}

absl::Status DomainCommands::Run(const Invocation& invocation) {
  const absl::Status status = RunChosen(invocation);
  return name_.empty() ? status : AboutDomain(name_, status);
}

absl::Status DomainCommands::RunChosen(const Invocation& invocation) {
  if (set_->parsed()) return Set(invocation);
  RETURN_IF_ERROR(CheckServer(invocation.server));
  if (show_->parsed()) return Show(invocation);
  if (list_->parsed()) return List(invocation);
  return Delete(invocation);
}

absl::Status DomainCommands::Set(const Invocation& invocation) {
  ASSIGN_OR_RETURN(v1::SetDomainRequest request, Changes());
  RETURN_IF_ERROR(CheckServer(invocation.server));
  request.set_name(name_);
  ASSIGN_OR_RETURN(
      const v1::Domain domain,
      Connection(invocation.server, invocation.timeout).Call(&v1::Admin::Stub::SetDomain, request));
  if (invocation.output.format() == OutputFormat::kTable) {
    invocation.output.Note("domain " + domain.name() + " set");
  } else {
    invocation.output.Object(DomainJson(domain), {});
  }
  return absl::OkStatus();
}

absl::Status DomainCommands::Show(const Invocation& invocation) {
  v1::GetDomainRequest request;
  request.set_name(name_);
  ASSIGN_OR_RETURN(
      const v1::Domain domain,
      Connection(invocation.server, invocation.timeout).Call(&v1::Admin::Stub::GetDomain, request));
  invocation.output.Object(DomainJson(domain), DomainRows(domain));
  return absl::OkStatus();
}

absl::Status DomainCommands::List(const Invocation& invocation) {
  Connection connection(invocation.server, invocation.timeout);
  Json json = Json::array();
  std::vector<Output::Line> lines = {
      {"NAME", "STATE", "APP PASSWORDS", "SEND ONLY", "ALLOWED", "ATTRIBUTES"}};
  v1::ListDomainsRequest request;
  request.set_page_size(kPageSize);
  do {
    ASSIGN_OR_RETURN(const v1::ListDomainsReply page,
                     connection.Call(&v1::Admin::Stub::ListDomains, request));
    for (const v1::Domain& one : page.domains()) {
      json.push_back(DomainJson(one));
      lines.push_back({one.name(), StateOf(one),
                       one.require_app_password() ? "required" : "optional",
                       YesOrNo(one.send_only()), AccessText(one.access()),
                       std::to_string(one.attributes_size())});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (invocation.output.format() == OutputFormat::kTable && json.empty()) {
    invocation.output.Note("no domains");
  } else {
    invocation.output.Table(json, lines);
  }
  return absl::OkStatus();
}

absl::Status DomainCommands::Delete(const Invocation& invocation) {
  if (!yes_) {
    RETURN_IF_ERROR(Confirm("What domain " + Printable(name_) +
                                " demands of its users, and gives them, is gone then. Delete it?",
                            "not deleted"));
  }
  v1::DeleteDomainRequest request;
  request.set_name(name_);
  RETURN_IF_ERROR(Connection(invocation.server, invocation.timeout)
                      .Call(&v1::Admin::Stub::DeleteDomain, request)
                      .status());
  if (invocation.output.format() == OutputFormat::kTable) {
    invocation.output.Note("domain " + name_ + " deleted");
  } else {
    invocation.output.Object(Json{{"name", name_}, {"deleted", true}}, {});
  }
  return absl::OkStatus();
}

}  // namespace sasld::saslctl
