// Dovecot's passwd-file, Apache's htpasswd and shadow(5): fields between colons.
#include <charconv>
#include <cstdint>

#include "client/saslctl/import_sources.h"

namespace sasld::saslctl {
namespace {

constexpr int64_t kSecondsOfDay = 86400;
// 9999-12-31, the last day that a Timestamp can tell.
constexpr int64_t kLastDay = 2932896;

// The next field, and what follows its colon.
std::string_view NextField(std::string_view& rest) {
  const size_t colon = rest.find(':');
  const std::string_view field = rest.substr(0, colon);
  rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  return field;
}

bool IsBlankOrComment(std::string_view line) {
  const size_t first = line.find_first_not_of(" \t");
  return first == std::string_view::npos || line[first] == '#';
}

SourceEntry Wrong(std::string_view name, std::string text) {
  return {.name = std::string(name), .content = Mistake{std::move(text)}};
}

// Every format begins with the name and a colon.
std::optional<SourceEntry> WrongBeginning(std::string_view line) {
  const size_t colon = line.find(':');
  // The line is not repeated: it may be a password.
  if (colon == std::string_view::npos) return Wrong("", "there is no colon after the name");
  if (colon == 0) return Wrong("", "there is no name before the first colon");
  return std::nullopt;
}

void AddAttribute(v1::UserRecord& record, std::string_view name, std::string_view value) {
  if (!value.empty()) (*record.mutable_attributes())[std::string(name)] = std::string(value);
}

// Empty if all is well, else what is wrong.
std::string ReadExtraField(std::string_view field, v1::UserRecord& record) {
  const size_t equals = field.find('=');
  const std::string_view key = field.substr(0, equals);
  // Dovecot: a field without a value is "yes".
  std::string_view value = equals == std::string_view::npos ? "yes" : field.substr(equals + 1);
  if (key.empty()) return "an extra field has no name";
  if (key == "nopassword") {
    return "\"nopassword\" lets anybody in, which sasld does not: give the user a password";
  }
  if (key == "password" || key == "pass") return "there is a second password in the extra fields";
  if (key == "nologin") {
    record.set_disabled(true);
  } else if (key == "allow_nets") {
    while (!value.empty()) {
      const size_t comma = value.find(',');
      if (comma != 0) {
        record.mutable_access()->add_networks(std::string(value.substr(0, comma)));
      }
      value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
    }
  } else {
    AddAttribute(record, key, value);
  }
  return "";
}

std::string ReadExtraFields(std::string_view rest, v1::UserRecord& record) {
  while (true) {
    const size_t begin = rest.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return "";
    rest.remove_prefix(begin);
    const size_t end = rest.find_first_of(" \t");
    if (std::string wrong = ReadExtraField(rest.substr(0, end), record); !wrong.empty()) {
      return wrong;
    }
    if (end == std::string_view::npos) return "";
    rest.remove_prefix(end);
  }
}

// A field of shadow(5) that counts days; nullopt: no number.
std::optional<int64_t> Days(std::string_view field) {
  int64_t days = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), days);
  if (error != std::errc() || end != field.data() + field.size()) return std::nullopt;
  return days;
}

// The aging fields: last change, least and most days of age, warning, inactivity, expiry, reserved.
std::string ReadAging(std::string_view rest, v1::UserRecord& record) {
  const std::string_view changed = NextField(rest);
  for (int unused = 0; unused < 4; ++unused) NextField(rest);
  const std::string_view expires = NextField(rest);
  if (!changed.empty()) {
    const std::optional<int64_t> day = Days(changed);
    if (!day.has_value() || *day < 0 || *day > kLastDay) {
      return "the day of the last change is no number of days";
    }
    if (*day == 0) {
      record.set_must_change_password(true);
    } else {
      record.mutable_password_changed()->set_seconds(*day * kSecondsOfDay);
    }
  }
  if (!expires.empty() && expires != "-1") {
    const std::optional<int64_t> day = Days(expires);
    if (!day.has_value() || *day < 0 || *day > kLastDay) {
      return "the day of expiry is no number of days";
    }
    record.mutable_expires()->set_seconds(*day * kSecondsOfDay);
  }
  return "";
}

}  // namespace

std::optional<SourceEntry> ReadDovecotPasswdLine(std::string_view line,
                                                 const SourceOptions& options) {
  if (IsBlankOrComment(line)) return std::nullopt;
  if (std::optional<SourceEntry> wrong = WrongBeginning(line)) return wrong;
  std::string_view rest = line;
  const std::string_view name = NextField(rest);
  const std::string_view password = NextField(rest);
  if (password.empty()) return Wrong(name, "there is no password");
  v1::UserRecord record;
  record.set_name(std::string(name));
  // passwd-file's own default where default_pass_scheme does not say otherwise.
  record.add_passwords(
      WithScheme(password, options.default_scheme.empty() ? "CRYPT" : options.default_scheme));
  for (const char* attribute : {"uid", "gid", "gecos", "home", "shell"}) {
    AddAttribute(record, attribute, NextField(rest));
  }
  if (std::string wrong = ReadExtraFields(rest, record); !wrong.empty()) {
    return Wrong(name, std::move(wrong));
  }
  return SourceEntry{.name = std::string(name), .content = std::move(record)};
}

std::optional<SourceEntry> ReadHtpasswdLine(std::string_view line, const SourceOptions& options) {
  if (IsBlankOrComment(line)) return std::nullopt;
  if (std::optional<SourceEntry> wrong = WrongBeginning(line)) return wrong;
  std::string_view password = line;
  const std::string_view name = NextField(password);
  if (password.empty()) return Wrong(name, "there is no password");
  v1::UserRecord record;
  record.set_name(std::string(name));
  record.add_passwords(
      WithScheme(password, options.default_scheme.empty() ? "CRYPT" : options.default_scheme));
  return SourceEntry{.name = std::string(name), .content = std::move(record)};
}

std::optional<SourceEntry> ReadShadowLine(std::string_view line, const SourceOptions&) {
  if (IsBlankOrComment(line)) return std::nullopt;
  if (std::optional<SourceEntry> wrong = WrongBeginning(line)) return wrong;
  std::string_view rest = line;
  const std::string_view name = NextField(rest);
  std::string_view hash = NextField(rest);
  v1::UserRecord record;
  record.set_name(std::string(name));
  if (const size_t locked = hash.find_first_not_of('!'); locked != 0) {
    record.set_disabled(!hash.empty());
    hash = locked == std::string_view::npos ? std::string_view() : hash.substr(locked);
  }
  // "*" and the like: an account that nobody logs in to, such as a system's.
  if (hash.empty() || hash == "*" || hash == "x") {
    return SourceEntry{.name = std::string(name), .content = LeftOut{"has no password"}};
  }
  record.add_passwords(WithScheme(hash, "CRYPT"));
  if (std::string wrong = ReadAging(rest, record); !wrong.empty()) {
    return Wrong(name, std::move(wrong));
  }
  return SourceEntry{.name = std::string(name), .content = std::move(record)};
}

}  // namespace sasld::saslctl
