#include "client/saslctl/rules.h"

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

Output::Rows RulesRows(const v1::UserRules& rules) {
  const auto yes_or_no = [](bool is) { return std::string(is ? "yes" : "no"); };
  return {{"expires", rules.has_expires() ? TimeText(rules.expires()) : "never"},
          {"require app password", yes_or_no(rules.require_app_password())},
          {"must change password", yes_or_no(rules.must_change_password())},
          {"send only", yes_or_no(rules.send_only())},
          {"services", AnyOr(rules.access().services())},
          {"networks", AnyOr(rules.access().networks())},
          {"by mechanisms", AnyOr(rules.access().mechanisms())}};
}

}  // namespace sasld::saslctl
