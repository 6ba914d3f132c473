#include "client/adapter/nginx_auth_request.h"

#include <strings.h>

#include <algorithm>
#include <array>

namespace sasld {
namespace {

constexpr std::string_view kEndOfLine = "\r\n";

struct Wanted {
  std::string_view name;
  std::optional<std::string_view> NginxAuthRequest::*field;
};

constexpr std::array<Wanted, 8> kWanted = {{
    {"Auth-Method", &NginxAuthRequest::method},
    {"Auth-User", &NginxAuthRequest::user},
    {"Auth-Pass", &NginxAuthRequest::password},
    {"Auth-Protocol", &NginxAuthRequest::protocol},
    {"Client-IP", &NginxAuthRequest::client_ip},
    {"Auth-SSL", &NginxAuthRequest::ssl},
    {"Auth-SSL-Verify", &NginxAuthRequest::ssl_verify},
    {"Auth-SSL-Cert", &NginxAuthRequest::certificate},
}};

// RFC 9110 s.5.1: names of headers are the same in any case.
bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// Takes the line off `text`, without its end; unset where there is no end.
std::optional<std::string_view> TakeLine(std::string_view& text) {
  const size_t end = text.find(kEndOfLine);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + kEndOfLine.size());
  return line;
}

// "GET /auth HTTP/1.0"; the path is the administrator's to choose. 1.1 is what curl says.
bool IsRequestLine(std::string_view line) {
  const std::string_view verb = line.substr(0, line.find(' '));
  const std::string_view version = line.substr(line.rfind(' ') + 1);
  if (verb != "GET" || (version != "HTTP/1.0" && version != "HTTP/1.1")) return false;
  if (line.size() < verb.size() + version.size() + 3) return false;
  const std::string_view path =
      line.substr(verb.size() + 1, line.size() - verb.size() - version.size() - 2);
  return path.front() == '/' &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// What is wrong with the header; empty if nothing is.
std::string_view TakeHeader(std::string_view line, NginxAuthRequest& request) {
  const size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || name.empty() ||
      !std::all_of(name.begin(), name.end(), IsNameCharacter)) {
    return "a header without a name";
  }
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  for (const Wanted& wanted : kWanted) {
    if (!SameName(name, wanted.name)) continue;
    std::optional<std::string_view>& field = request.*wanted.field;
    if (field) return "a header that comes twice";
    field = value;
  }
  return {};
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::variant<NginxAuthRequest, std::string_view> ParseNginxAuthRequest(std::string_view head) {
  using std::string_view_literals::operator""sv;
  NginxAuthRequest request;
  const std::optional<std::string_view> request_line = TakeLine(head);
  if (!request_line || !IsRequestLine(*request_line)) return "no GET of HTTP/1.0"sv;
  while (!head.empty()) {
    const std::optional<std::string_view> line = TakeLine(head);
    // nginx escapes these where a client could bring them.
    if (!line || line->find_first_of("\r\n\0"sv) != std::string_view::npos) {
      return "a header with a stray CR, LF or NUL"sv;
    }
    if (const std::string_view wrong = TakeHeader(*line, request); !wrong.empty()) return wrong;
  }
  return request;
}

bool AppendNginxUnescaped(std::string_view escaped, std::string& out) {
  for (size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '%') {
      out += escaped[i];
      continue;
    }
    if (escaped.size() - i < 3) return false;
    const int high = HexDigit(escaped[i + 1]);
    const int low = HexDigit(escaped[i + 2]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return true;
}

}  // namespace sasld
