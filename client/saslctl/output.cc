#include "client/saslctl/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/time/time.h"
#include "client/saslctl/exit_status.h"
#include "client/saslctl/rules.h"

namespace sasld::saslctl {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

// Returns errno of a write that failed, 0 when all is written.
int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    text.remove_prefix(static_cast<size_t>(wrote));
  }
  return 0;
}

// Invalid UTF-8 is replaced: dump() would throw.
std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

// Columns taken on a terminal, near enough: one for each code point.
size_t Width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string Padded(std::string text, size_t width) {
  const size_t taken = Width(text);
  if (taken < width) text.append(width - taken, ' ');
  return text;
}

Json TimeJson(const google::protobuf::Timestamp& time) {
  const std::string text = TimeText(time);
  return text.empty() ? Json(nullptr) : Json(text);
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1_control =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte >= 0x20 && byte != 0x7F && !c1_control) {
      result += text[i];
      continue;
    }
    const auto shown = c1_control ? static_cast<unsigned char>(text[++i]) : byte;
    result += "\\x";
    result += kHexDigits[shown >> 4];
    result += kHexDigits[shown & 0x0F];
  }
  return result;
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

std::string JoinNames(const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) {
    if (!joined.empty()) joined += ", ";
    joined += Printable(name);
  }
  return joined.empty() ? "-" : joined;
}

Json UserJson(const v1::User& user) {
  Json json;
  json["name"] = user.name();
  json["enabled"] = user.enabled();
  json["epoch"] = user.epoch();
  json["created"] = TimeJson(user.created());
  json["password_changed"] = TimeJson(user.password_changed());
  json["mechanisms"] = Json::array();
  for (const std::string& mechanism : user.mechanisms()) json["mechanisms"].push_back(mechanism);
  json["rules"] = RulesJson(user.rules());
  json["aliases"] = Json::array();
  for (const std::string& alias : user.aliases()) json["aliases"].push_back(alias);
  json["senders"] = Json::array();
  for (const std::string& sender : user.senders()) json["senders"].push_back(sender);
  json["app_passwords"] = user.app_passwords();
  return json;
}

void Output::Data(std::string_view text) {
  if (reader_gone_ || write_error_ != 0) return;
  const int error = WriteAll(out_, text);
  if (error == EPIPE) {
    reader_gone_ = true;
  } else {
    write_error_ = error;
  }
}

void Output::Object(const Json& json, const Rows& rows) {
  if (format_ == OutputFormat::kJson) return Data(Dump(json, 2) + "\n");
  size_t width = 0;
  for (const auto& [label, value] : rows) width = std::max(width, Width(label));
  std::string text;
  for (const auto& [label, value] : rows) {
    text += Padded(std::string(label), width + 2) + (value.empty() ? "-" : Printable(value)) + "\n";
  }
  Data(text);
}

void Output::Table(const Json& json, const std::vector<Line>& lines) {
  if (format_ == OutputFormat::kJson) return Data(Dump(json, 2) + "\n");
  std::vector<size_t> widths;
  for (const Line& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], Width(Printable(line[i])));
    }
  }
  std::string text;
  for (const Line& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) {
      const bool is_last = i + 1 == line.size();
      text += Padded(Printable(line[i]), is_last ? 0 : widths[i] + 2);
    }
    text += '\n';
  }
  Data(text);
}

void Output::Note(std::string_view text) {
  if (format_ == OutputFormat::kTable) WriteAll(err_, Printable(text) + "\n");
}

void Output::Error(const absl::Status& status) {
  const std::string message(status.message());
  if (format_ == OutputFormat::kTable) {
    WriteAll(err_, "saslctl: " + Printable(message) + "\n");
    return;
  }
  Json json;
  json["error"]["code"] = std::string(ExitStatusName(ExitStatusOf(status)));
  json["error"]["message"] = message;
  WriteAll(err_, Dump(json, -1) + "\n");
}

absl::Status Output::Finish() const {
  if (write_error_ == 0) return absl::OkStatus();
  return absl::InternalError(std::string("cannot write to standard output: ") +
                             strerror(write_error_));
}

void UserListing::Page(const google::protobuf::RepeatedPtrField<v1::User>& users) {
  if (output_.format() == OutputFormat::kTable) return TablePage(users);
  std::string text;
  for (const v1::User& user : users) {
    text += any_ ? ",\n  " : "[\n  ";
    text += Dump(UserJson(user), -1);
    any_ = true;
  }
  output_.Data(text);
}

void UserListing::End() {
  if (output_.format() == OutputFormat::kJson) {
    output_.Data(any_ ? "\n]\n" : "[]\n");
  } else if (!any_) {
    output_.Note("no users");
  }
}

void UserListing::TablePage(const google::protobuf::RepeatedPtrField<v1::User>& users) {
  // Only ever wider: the first page settles the columns unless a later name does not fit.
  name_width_ = std::max(name_width_, Width("NAME"));
  for (const v1::User& user : users) {
    name_width_ = std::max(name_width_, Width(Printable(user.name())));
  }
  const auto line = [this](const std::string& name, const std::string& state,
                           const std::string& changed, const std::string& mechanisms) {
    return Padded(name, name_width_ + 2) + Padded(state, 10) + Padded(changed, 22) + mechanisms +
           "\n";
  };
  std::string text;
  for (const v1::User& user : users) {
    if (!begun_) text += line("NAME", "STATE", "PASSWORD CHANGED", "MECHANISMS");
    begun_ = any_ = true;
    const std::string changed = TimeText(user.password_changed());
    text += line(Printable(user.name()), user.enabled() ? "enabled" : "disabled",
                 changed.empty() ? "-" : changed, JoinNames(user.mechanisms()));
  }
  output_.Data(text);
}

}  // namespace sasld::saslctl
