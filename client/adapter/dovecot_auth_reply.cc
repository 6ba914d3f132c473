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

void AppendNumber(uint64_t number, std::string& out) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// "OK\t1": a command and the id it is about. A line without an id, and Exim 4.96 dies.
void AppendCommand(std::string_view command, uint32_t id, std::string& out) {
  (out += command) += '\t';
  AppendNumber(id, out);
}

void AppendField(std::string_view name, std::string_view value, std::string& out) {
  ((out += '\t') += name) += '=';
  AppendTabEscaped(value, out);
}

}  // namespace

bool IsDovecotName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxDovecotNameBytes &&
         std::none_of(name.begin(), name.end(),
                      [](unsigned char c) { return c < ' ' || c == '\x7f'; });
}

void AppendDovecotGreeting(const SessionFacts& facts, std::string& out) {
  // MECH before SPID: else Postfix and Exim take this for another kind of socket.
  out += "VERSION\t1\t2\n";
  for (const v1::MechanismInfo& mechanism : facts.mechanisms.mechanisms()) {
    // Channel binding data has no way through this version of the protocol.
    if (mechanism.channel_binding() || !IsMechanismName(mechanism.name())) continue;
    out += "MECH\t";
    AppendMechanism(mechanism, '\t', out);
    out += '\n';
  }
  out += "SPID\t";
  AppendNumber(static_cast<uint64_t>(facts.server_pid), out);
  out += "\nCUID\t";
  AppendNumber(facts.connection_number, out);
  out += "\nCOOKIE\t";
  for (unsigned char byte : facts.cookie) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  out += "\nDONE\n";
}

void AppendDovecotContinue(uint32_t id, std::string_view data, std::string& out) {
  AppendCommand("CONT", id, out);
  out += '\t';  // also before no data: Postfix and Exim want the field
  AppendBase64(data, out);
  out += '\n';
}

void AppendDovecotOk(const DovecotOk& ok, std::string& out) {
  AppendCommand("OK", ok.id, out);
  AppendField("user", ok.authzid, out);  // first: Exim reads 16 fields
  if (ok.data) {
    out += "\tresp=";
    AppendBase64(*ok.data, out);
  }
  if (ok.authcid != ok.authzid) {
    AppendField("original_user", ok.authcid, out);
    AppendField("auth_user", ok.authcid, out);
  }
  if (ok.anonymous) out += "\tanonymous";
  out += '\n';
}

void AppendDovecotFail(const DovecotFail& fail, std::string& out) {
  AppendCommand("FAIL", fail.id, out);
  if (IsDovecotName(fail.user)) AppendField("user", fail.user, out);
  if (!fail.code.empty()) AppendField("code", fail.code, out);
  if (IsReason(fail.reason)) AppendField("reason", fail.reason, out);
  out += '\n';
}

void AppendDovecotTemporaryFail(uint32_t id, std::string& out) {
  AppendCommand("FAIL", id, out);
  out += "\ttemp\tcode=temp_fail\n";  // Dovecot 2.2's word, and what 2.3 has instead
}

}  // namespace sasld
