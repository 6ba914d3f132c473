#include "client/libsasl2/reply.h"

#include <algorithm>

#include "client/libsasl2/fields.h"

namespace sasld::libsasl2 {
namespace {

constexpr std::string_view kId = "1";

Reply ParseContinue(std::string_view rest) {
  Challenge challenge{.base64 = NextField(rest), .binding_type = {}};
  while (!rest.empty()) {
    std::string_view field = NextField(rest);
    if (TakeValue(field, "channel_binding")) challenge.binding_type = field;
  }
  return challenge;
}

Reply ParseOk(std::string_view rest) {
  Success success;
  while (!rest.empty()) {
    std::string_view field = NextField(rest);
    if (TakeValue(field, "user")) {
      success.authzid = field;
    } else if (TakeValue(field, "original_user")) {
      success.authcid = field;
    } else if (TakeValue(field, "resp")) {
      success.base64 = field;
    }
  }
  // Success of nobody is no success.
  if (success.authzid.empty()) return Violation{};
  if (success.authcid.empty()) success.authcid = success.authzid;
  return success;
}

Reply ParseFail(std::string_view rest) {
  Refusal refusal;
  bool temporary = false;
  while (!rest.empty()) {
    std::string_view field = NextField(rest);
    // Dovecot 2.2's word, and what 2.3 has instead.
    if (field == "temp" || field == "code=temp_fail") temporary = true;
    if (TakeValue(field, "reason")) refusal.reason = field;
  }
  if (temporary) return TryLater{};
  return refusal;
}

}  // namespace

Reply ParseReply(std::string_view line) {
  std::string_view command = NextField(line);
  if (command != "CONT" && command != "OK" && command != "FAIL") return NotAReply{};
  if (NextField(line) != kId) return NotAReply{};
  if (command == "CONT") return ParseContinue(line);
  if (command == "OK") return ParseOk(line);
  return ParseFail(line);
}

bool IsVersion1(std::string_view line) {
  return NextField(line) == "VERSION" && NextField(line) == "1";
}

bool IsName(std::string_view field) {
  return !field.empty() && field.size() <= kMaxNameBytes &&
         std::none_of(field.begin(), field.end(),
                      [](unsigned char c) { return c < ' ' || c == '\x7f'; });
}

}  // namespace sasld::libsasl2
