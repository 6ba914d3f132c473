#include "client/adapter/nginx_auth_reply.h"

#include <algorithm>

namespace sasld {
namespace {

constexpr size_t kMaxNameBytes = 512;  // more than sasld's have; leaves room in nginx's 1024

void AppendHeader(std::string_view name, std::string_view value, std::string& out) {
  ((((out += name) += ": ")) += value) += "\r\n";
}

}  // namespace

bool IsNginxName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         std::none_of(name.begin(), name.end(),
                      [](unsigned char c) { return c <= ' ' || c == '\x7f'; });
}

void AppendNginxRefusal(const NginxRefusal& refusal, std::string_view service, std::string& out) {
  out += "HTTP/1.0 200 OK\r\n";
  std::string status;
  if (service == "imap") status = refusal.imap;
  if (service == "pop3") status = refusal.pop3;
  AppendHeader("Auth-Status", status.append(refusal.text), out);
  if (service == "smtp") AppendHeader("Auth-Error-Code", refusal.smtp, out);
  // Without it nginx hangs up on its client. The least there is: sasld has waited already.
  AppendHeader("Auth-Wait", "1", out);
  out += "\r\n";
}

void AppendNginxOk(std::string_view address, uint16_t port, std::string_view name,
                   std::string& out) {
  out += "HTTP/1.0 200 OK\r\n";
  AppendHeader("Auth-Status", "OK", out);
  AppendHeader("Auth-Server", address, out);
  AppendHeader("Auth-Port", std::to_string(port), out);
  AppendHeader("Auth-User", name, out);
  out += "\r\n";
}

}  // namespace sasld
