#include "client/adapter/dovecot_auth_reply.h"

#include <algorithm>
#include <charconv>

#include "client/adapter/base64.h"
#include "client/adapter/mechanism_text.h"
#include "client/adapter/tab_fields.h"

namespace sasld {
namespace {

constexpr size_t kMaxReasonBytes = 200;

bool IsReason(std::string_view text) {
  return !text.empty() && text.size() <= kMaxReasonBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
}

}  // namespace

bool IsDovecotName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxDovecotNameBytes &&
         std::none_of(name.begin(), name.end(),
                      [](unsigned char c) { return c < ' ' || c == '\x7f'; });
}

void AppendDovecotNumber(uint64_t number, std::string& out) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void AppendDovecotCommand(std::string_view command, uint32_t id, std::string& out) {
  (out += command) += '\t';
  AppendDovecotNumber(id, out);
}

void AppendDovecotField(std::string_view name, std::string_view value, std::string& out) {
  ((out += '\t') += name) += '=';
  AppendTabEscaped(value, out);
}

void AppendDovecotCookie(const DovecotCookie& cookie, std::string& out) {
  for (unsigned char byte : cookie) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
}

void AppendDovecotVersion(std::string& out) { out += "VERSION\t1\t4\n"; }

void AppendDovecotHandshake(const SessionFacts& facts, ChannelBindingOffer offer,
                            std::string& out) {
  // MECH before SPID: else Postfix and Exim take this for another kind of socket.
  for (const v1::MechanismInfo& mechanism : facts.mechanisms.mechanisms()) {
    if (mechanism.channel_binding() && offer == ChannelBindingOffer::kWithout) continue;
    if (!IsMechanismName(mechanism.name())) continue;
    out += "MECH\t";
    AppendMechanism(mechanism, '\t', out);
    out += '\n';
  }
  out += "SPID\t";
  AppendDovecotNumber(static_cast<uint64_t>(facts.server_pid), out);
  out += "\nCUID\t";
  AppendDovecotNumber(facts.connection_number, out);
  out += "\nCOOKIE\t";
  AppendDovecotCookie(facts.cookie, out);
  out += "\nDONE\n";
}

void AppendDovecotContinue(uint32_t id, std::string_view data, std::string_view binding_type,
                           std::string& out) {
  AppendDovecotCommand("CONT", id, out);
  out += '\t';  // also before no data: Postfix and Exim want the field
  AppendBase64(data, out);
  if (!binding_type.empty()) AppendDovecotField("channel_binding", binding_type, out);
  out += '\n';
}

void AppendDovecotCancelled(uint32_t id, std::string& out) {
  AppendDovecotCommand("CANCELLED", id, out);
  out += '\n';
}

void AppendDovecotOk(const DovecotOk& ok, std::string& out) {
  AppendDovecotCommand("OK", ok.id, out);
  AppendDovecotField("user", ok.authzid, out);  // first: Exim reads 16 fields
  if (ok.data) {
    out += "\tresp=";
    AppendBase64(*ok.data, out);
  }
  if (ok.authcid != ok.authzid) {
    AppendDovecotField("original_user", ok.authcid, out);
    AppendDovecotField("auth_user", ok.authcid, out);
  }
  if (ok.anonymous) out += "\tanonymous";
  out += '\n';
}

void AppendDovecotFail(const DovecotFail& fail, std::string& out) {
  AppendDovecotCommand("FAIL", fail.id, out);
  if (IsDovecotName(fail.user)) AppendDovecotField("user", fail.user, out);
  if (!fail.code.empty()) AppendDovecotField("code", fail.code, out);
  if (IsReason(fail.reason)) AppendDovecotField("reason", fail.reason, out);
  out += '\n';
}

void AppendDovecotTemporaryFail(uint32_t id, std::string& out) {
  AppendDovecotCommand("FAIL", id, out);
  out += "\ttemp\tcode=temp_fail\n";  // Dovecot 2.2's word, and what 2.3 has instead
}

}  // namespace sasld
