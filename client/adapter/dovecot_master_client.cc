#include "client/adapter/dovecot_master_client.h"

#include <optional>

#include "client/adapter/dovecot_auth_line.h"
#include "client/adapter/dovecot_auth_reply.h"
#include "client/adapter/tab_fields.h"

namespace sasld {
namespace {

constexpr size_t kMaxLineBytes = 8192;  // as the server's side sends no longer ones

}  // namespace

void DovecotMasterClient::Greet(std::string& out) { AppendDovecotVersion(out); }

uint32_t DovecotMasterClient::Request(std::string_view login, std::string& out) {
  AppendDovecotCommand("REQUEST", ++requests_, out);
  ((out += '\t') += login) += '\n';
  return requests_;
}

bool DovecotMasterClient::Receive(std::string_view bytes, std::vector<Answered>& answered) {
  bool is_ours = true;
  const bool fits = lines_.Feed(bytes, kMaxLineBytes, [&](std::string_view line) {
    return is_ours = TakeLine(line, answered);
  });
  return fits && is_ours;
}

bool DovecotMasterClient::TakeLine(std::string_view line, std::vector<Answered>& answered) {
  if (!greeted_) {
    std::optional<DovecotVersion> version = ParseDovecotVersion(line);
    return greeted_ = version && version->major == 1;
  }
  TabFields fields(line);
  const std::string_view command = *fields.Next();
  if (command == "SPID") return true;
  if (command != "USER" && command != "FAIL" && command != "NOTFOUND") return false;
  std::optional<uint32_t> id = ParseDovecotNumber(fields.Next().value_or(""));
  if (!id) return false;
  DovecotMasterAnswer answer{std::string(command)};
  if (auto rest = fields.Rest()) (answer.rest = '\t') += *rest;
  answered.push_back({*id, std::move(answer)});
  return true;
}

}  // namespace sasld
