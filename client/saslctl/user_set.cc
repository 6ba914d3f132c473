#include "client/saslctl/user_set.h"

#include "absl/status/status.h"
#include "client/saslctl/expiry.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

using Names = v1::SetUserRulesRequest::Names;

void AddYesOrNo(CLI::App& command, const std::string& name, std::string& value,
                const std::string& description) {
  command.add_option(name, value, description)
      ->check(CLI::IsMember({"yes", "no"}))
      ->type_name("yes|no");
}

void AddFlagAgainst(CLI::App& command, const std::string& name, bool& value,
                    const std::string& option, const std::string& description) {
  command.add_flag(name, value, description)->excludes(command.get_option(option));
}

Names NamesOf(const std::vector<std::string>& list) {
  Names names;
  for (const std::string& name : list) names.add_names(name);
  return names;
}

}  // namespace

void RuleOptions::AddTo(CLI::App& command) {
  AddYesOrNo(command, "--require-app-password", require_app_password_,
             "Whether the user's own password lets nobody in, but app passwords");
  AddYesOrNo(command, "--send-only", send_only_,
             "Whether the user may submit mail and use no other service");
  AddYesOrNo(command, "--must-change", must_change_,
             "Whether the user's own password lets nobody in until it is another");
  command.add_option("--expires", expires_, "When the user can log in no longer, or never")
      ->type_name("WHEN");
  AddAccessOptions(command, access_);
  AddFlagAgainst(command, "--any-service", any_service_, "--service", "For any service again");
  AddFlagAgainst(command, "--any-network", any_network_, "--network", "From anywhere again");
  AddFlagAgainst(command, "--any-mechanism", any_mechanism_, "--mechanism",
                 "By any mechanism again");
  command.add_option("--alias", aliases_, "Another name to log in by; may be repeated")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->type_name("ALIAS");
  AddFlagAgainst(command, "--no-alias", no_alias_, "--alias", "No other name any more");
  command
      .add_option("--sender", senders_,
                  "Another address to send as, or @DOMAIN for all of a domain; may be repeated")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->type_name("ADDRESS");
  AddFlagAgainst(command, "--no-sender", no_sender_, "--sender",
                 "No address but the user's own name and aliases any more");
}

absl::StatusOr<v1::SetUserRulesRequest> RuleOptions::Request(absl::Time now) const {
  v1::SetUserRulesRequest request;
  if (!require_app_password_.empty()) {
    request.set_require_app_password(require_app_password_ == "yes");
  }
  if (!send_only_.empty()) request.set_send_only(send_only_ == "yes");
  if (!must_change_.empty()) request.set_must_change_password(must_change_ == "yes");
  if (!expires_.empty()) {
    ASSIGN_OR_RETURN(const absl::Time expires, ParseExpiry(expires_, now));
    if (expires == absl::InfiniteFuture()) {
      request.set_never_expires(true);
    } else {
      request.mutable_expires()->set_seconds(absl::ToUnixSeconds(expires));
    }
  }
  const auto wanted = [](const std::vector<std::string>& list, bool none) {
    return none || !list.empty();
  };
  if (wanted(access_.services, any_service_)) {
    *request.mutable_services() = NamesOf(access_.services);
  }
  if (wanted(access_.networks, any_network_)) {
    *request.mutable_networks() = NamesOf(access_.networks);
  }
  if (wanted(access_.mechanisms, any_mechanism_)) {
    *request.mutable_mechanisms() = NamesOf(access_.mechanisms);
  }
  if (wanted(aliases_, no_alias_)) *request.mutable_aliases() = NamesOf(aliases_);
  if (wanted(senders_, no_sender_)) *request.mutable_senders() = NamesOf(senders_);
  if (request.ByteSizeLong() == 0) {
    return absl::InvalidArgumentError(
        "nothing to change: give an option (saslctl user set --help tells more)");
  }
  return request;
}

}  // namespace sasld::saslctl
