#include "client/saslctl/user_set.h"

#include "absl/status/status.h"
#include "client/saslctl/expiry.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {

void RuleOptions::AddTo(CLI::App& command) {
  AddYesOrNo(command, "--require-app-password", require_app_password_,
             "Whether the user's own password lets nobody in, but app passwords");
  AddYesOrNo(command, "--send-only", send_only_,
             "Whether the user may submit mail and use no other service");
  AddYesOrNo(command, "--must-change", must_change_,
             "Whether the user's own password lets nobody in until it is another");
  command.add_option("--expires", expires_, "When the user can log in no longer, or never")
      ->type_name("WHEN");
  access_.AddTo(command);
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
  attributes_.AddTo(
      command,
      "An attribute for the mail server, such as home or quota; takes the place of the "
      "domain's; may be repeated");
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
  access_.Fill(request);
  if (no_alias_ || !aliases_.empty()) *request.mutable_aliases() = NamesOf(aliases_);
  if (no_sender_ || !senders_.empty()) *request.mutable_senders() = NamesOf(senders_);
  RETURN_IF_ERROR(attributes_.Fill(request));
  if (request.ByteSizeLong() == 0) {
    return absl::InvalidArgumentError(
        "nothing to change: give an option (saslctl user set --help tells more)");
  }
  return request;
}

}  // namespace sasld::saslctl
