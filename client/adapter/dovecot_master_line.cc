#include "client/adapter/dovecot_master_line.h"

#include <algorithm>

#include "client/adapter/dovecot_auth_line.h"
#include "client/adapter/dovecot_auth_reply.h"
#include "client/adapter/tab_fields.h"

namespace sasld {
namespace {

constexpr std::string_view kNoId = "a request without an id";
// A parameter of ours, which Dovecot and older adapters ignore.
constexpr std::string_view kRelayed = "relayed";

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The value of "name=value", if `field` is that.
std::optional<std::string_view> ValueOf(std::string_view field, std::string_view name) {
  if (field.size() <= name.size() || field.substr(0, name.size()) != name ||
      field[name.size()] != '=') {
    return std::nullopt;
  }
  return field.substr(name.size() + 1);
}

std::optional<unsigned> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (Lower(c) >= 'a' && Lower(c) <= 'f') return static_cast<unsigned>(Lower(c) - 'a') + 10;
  return std::nullopt;
}

std::optional<DovecotCookie> ParseCookie(std::string_view hex) {
  DovecotCookie cookie;
  if (hex.size() != 2 * cookie.size()) return std::nullopt;
  for (size_t i = 0; i < cookie.size(); ++i) {
    std::optional<unsigned> high = HexDigit(hex[2 * i]);
    std::optional<unsigned> low = HexDigit(hex[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    cookie[i] = static_cast<unsigned char>(*high << 4 | *low);
  }
  return cookie;
}

}  // namespace

std::variant<DovecotUserLine, std::string_view> ParseDovecotUserLine(std::string_view arguments) {
  TabFields fields(arguments);
  std::optional<uint32_t> id = ParseDovecotNumber(*fields.Next());
  if (!id) return kNoId;
  std::optional<std::string_view> user = fields.Next();
  if (!user) return "a look-up without a user's name";
  bool has_service = false;
  while (std::optional<std::string_view> field = fields.Next()) {
    // "protocol" since Dovecot 2.4.
    has_service = has_service || ValueOf(*field, "service") || ValueOf(*field, "protocol");
  }
  if (!has_service) return "a look-up without a service";
  return DovecotUserLine{*id, TabUnescaped(*user)};
}

std::variant<DovecotListLine, std::string_view> ParseDovecotListLine(std::string_view arguments) {
  TabFields fields(arguments);
  std::optional<uint32_t> id = ParseDovecotNumber(*fields.Next());
  if (!id) return kNoId;
  DovecotListLine line{*id, {}};
  while (std::optional<std::string_view> field = fields.Next()) {
    if (auto mask = ValueOf(*field, "user")) line.mask = TabUnescaped(*mask);
  }
  return line;
}

std::variant<DovecotRequestLine, std::string_view> ParseDovecotRequestLine(
    std::string_view arguments) {
  TabFields fields(arguments);
  std::optional<uint32_t> id = ParseDovecotNumber(*fields.Next());
  if (!id) return kNoId;
  std::optional<uint32_t> cpid = ParseDovecotNumber(fields.Next().value_or(""));
  std::optional<uint32_t> login_id = ParseDovecotNumber(fields.Next().value_or(""));
  if (!cpid || !login_id) return "REQUEST without the numbers of a login";
  std::optional<DovecotCookie> cookie = ParseCookie(fields.Next().value_or(""));
  if (!cookie) return "REQUEST without a cookie of 32 hexadecimal digits";
  DovecotRequestLine line{*id, *cpid, *login_id, *cookie, std::nullopt, false};
  while (std::optional<std::string_view> field = fields.Next()) {
    if (auto pid = ValueOf(*field, "session_pid")) line.session_pid = ParseDovecotNumber(*pid);
    if (*field == kRelayed) line.relayed = true;
  }
  return line;
}

void AppendDovecotLogin(const DovecotRequestLine& line, std::string& out) {
  AppendDovecotNumber(line.cpid, out);
  out += '\t';
  AppendDovecotNumber(line.login_id, out);
  out += '\t';
  AppendDovecotCookie(line.cookie, out);
  (out += '\t') += kRelayed;
}

bool MatchesDovecotMask(std::string_view name, std::string_view mask) {
  // Where the last '*' stands, and what of the name it has taken; on a mismatch it takes one more.
  size_t star = std::string_view::npos;
  size_t taken = 0;
  size_t n = 0;
  size_t m = 0;
  while (n < name.size()) {
    if (m < mask.size() && mask[m] == '*') {
      star = m++;
      taken = n;
    } else if (m < mask.size() && (mask[m] == '?' || Lower(mask[m]) == Lower(name[n]))) {
      ++m;
      ++n;
    } else if (star != std::string_view::npos) {
      m = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  return std::all_of(mask.begin() + static_cast<std::ptrdiff_t>(m), mask.end(),
                     [](char c) { return c == '*'; });
}

void AppendDovecotAttributes(const v1::AccountAnswer& account, std::string& out) {
  for (const v1::AccountAttribute& attribute : account.attributes()) {
    if (attribute.value().empty()) {
      (out += '\t') += attribute.name();
    } else {
      AppendDovecotField(attribute.name(), attribute.value(), out);
    }
  }
}

}  // namespace sasld
