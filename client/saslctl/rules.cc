#include "client/saslctl/rules.h"

#include <utility>

namespace sasld::saslctl {
namespace {

using Texts = google::protobuf::RepeatedPtrField<std::string>;

void AddList(CLI::App& app, const std::string& name, const std::string& type,
             std::vector<std::string>& list, const std::string& description) {
  app.add_option(name, list, description)->allow_extra_args(false)->delimiter(',')->type_name(type);
}

Json ListJson(const Texts& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(text);
  return list;
}

std::string AnyOr(const Texts& texts) { return texts.empty() ? "any" : JoinNames(texts); }

}  // namespace

void AddAccessOptions(CLI::App& app, AccessOptions& options) {
  AddList(app, "--service", "SERVICE", options.services,
          "For this service only, such as smtp, imap, pop3 or sieve; may be repeated");
  AddList(app, "--network", "NETWORK", options.networks,
          "From this address or network only, such as 192.0.2.0/24; may be repeated");
  AddList(app, "--mechanism", "MECHANISM", options.mechanisms,
          "By this mechanism only, with or without -PLUS; may be repeated");
}

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

v1::SetUserRulesRequest::Names NamesOf(const std::vector<std::string>& list) {
  v1::SetUserRulesRequest::Names names;
  for (const std::string& name : list) names.add_names(name);
  return names;
}

void AccessChanges::AddTo(CLI::App& command) {
  AddAccessOptions(command, access_);
  AddFlagAgainst(command, "--any-service", any_service_, "--service", "For any service again");
  AddFlagAgainst(command, "--any-network", any_network_, "--network", "From anywhere again");
  AddFlagAgainst(command, "--any-mechanism", any_mechanism_, "--mechanism",
                 "By any mechanism again");
}

void AttributeChanges::AddTo(CLI::App& command, const std::string& description) {
  command.add_option("--attribute", set_, description)
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
  command
      .add_option("--no-attribute", take_away_,
                  "Without the attribute of this name; may be repeated")
      ->allow_extra_args(false)
      ->type_name("NAME");
}

absl::StatusOr<std::pair<std::string, std::string>> AttributeChanges::Split(
    const std::string& text) {
  const size_t equals = text.find('=');
  if (equals != 0 && equals != std::string::npos) {
    return std::pair(text.substr(0, equals), text.substr(equals + 1));
  }
  return absl::InvalidArgumentError("--attribute: \"" + text +
                                    "\" is not NAME=VALUE, such as uid=5000");
}

void AddAccessJson(const v1::Access& access, Json& json) {
  json["services"] = ListJson(access.services());
  json["networks"] = ListJson(access.networks());
  json["mechanisms"] = ListJson(access.mechanisms());
}

std::string AccessText(const v1::Access& access) {
  std::string text;
  const auto add = [&text](const std::string& before, const Texts& texts) {
    if (texts.empty()) return;
    text += (text.empty() ? "" : "; ") + before + JoinNames(texts);
  };
  add("", access.services());
  add("from ", access.networks());
  add("by ", access.mechanisms());
  return text.empty() ? "any" : text;
}

Json LastUseJson(const v1::LastUse* last) {
  if (last == nullptr) return nullptr;
  Json json;
  json["time"] = TimeText(last->time());
  json["address"] = last->address().empty() ? Json(nullptr) : Json(last->address());
  json["mechanism"] = last->mechanism();
  return json;
}

std::string LastUseText(const v1::LastUse* last) {
  if (last == nullptr) return "-";
  std::string text = TimeText(last->time());
  if (!last->address().empty()) text += " from " + last->address();
  return text + " by " + last->mechanism();
}

Json RulesJson(const v1::UserRules& rules) {
  Json json;
  json["require_app_password"] = rules.require_app_password();
  json["send_only"] = rules.send_only();
  json["must_change_password"] = rules.must_change_password();
  json["expires"] = rules.has_expires() ? Json(TimeText(rules.expires())) : Json(nullptr);
  AddAccessJson(rules.access(), json);
  return json;
}

Output::Rows AccessRows(const v1::Access& access) {
  return {{"services", AnyOr(access.services())},
          {"networks", AnyOr(access.networks())},
          {"by mechanisms", AnyOr(access.mechanisms())}};
}

std::string YesOrNo(bool is) { return is ? "yes" : "no"; }

Output::Rows RulesRows(const v1::UserRules& rules) {
  Output::Rows rows = {{"expires", rules.has_expires() ? TimeText(rules.expires()) : "never"},
                       {"require app password", YesOrNo(rules.require_app_password())},
                       {"must change password", YesOrNo(rules.must_change_password())},
                       {"send only", YesOrNo(rules.send_only())}};
  for (auto& row : AccessRows(rules.access())) rows.push_back(std::move(row));
  return rows;
}

}  // namespace sasld::saslctl
