#include "client/saslctl/csv_columns.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace sasld::saslctl {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// A value as it can be repeated. What is long or looks like a hash is not: columns may be mixed up.
std::string Quoted(std::string_view value) {
  const bool harmless =
      value.size() <= 20 && value.find_first_of("${}\\") == std::string_view::npos;
  return harmless ? "\"" + std::string(value) + "\"" : "the value";
}

std::string ReadName(std::string_view value, const SourceOptions&, v1::UserRecord& record) {
  record.set_name(std::string(value));
  return value.empty() ? "is empty" : "";
}

std::string ReadPassword(std::string_view value, const SourceOptions& options,
                         v1::UserRecord& record) {
  if (value.empty()) return "is empty";
  if (!options.default_scheme.empty()) {
    record.add_passwords(WithScheme(value, options.default_scheme));
  } else if (value.starts_with('{') || value.starts_with('$') || value.starts_with("SCRAM-SHA-")) {
    record.add_passwords(std::string(value));
  } else {
    return "names no {SCHEME}; if they are plaintext, give --default-scheme PLAIN, and CRYPT if "
           "they are crypt(3)'s";
  }
  return "";
}

// PostgreSQL writes t and f.
std::string ReadBool(std::string_view value, bool& result) {
  const std::string word = Lower(value);
  for (const char* yes : {"yes", "true", "1", "t"}) {
    if (word == yes) {
      result = true;
      return "";
    }
  }
  for (const char* no : {"no", "false", "0", "f"}) {
    if (word == no) {
      result = false;
      return "";
    }
  }
  return Quoted(value) + " is not yes, no, true, false, 1 or 0";
}

std::string ReadEnabled(std::string_view value, const SourceOptions&, v1::UserRecord& record) {
  bool enabled = true;
  std::string wrong = ReadBool(value, enabled);
  record.set_disabled(!enabled);
  return wrong;
}

template <void (v1::UserRecord::*Set)(bool)>
std::string ReadFlag(std::string_view value, const SourceOptions&, v1::UserRecord& record) {
  bool flag = false;
  std::string wrong = value.empty() ? "" : ReadBool(value, flag);
  (record.*Set)(flag);
  return wrong;
}

// UTC where it names no zone. Databases write the zero date where there is none.
std::string ReadTime(std::string_view value, google::protobuf::Timestamp& time) {
  if (value.empty() || value.starts_with("0000-00-00")) return "";
  absl::Time parsed;
  std::string error;
  for (const char* format : {"%Y-%m-%d", "%Y-%m-%d %H:%M:%E*S", "%Y-%m-%d %H:%M:%E*S%Ez",
                             "%Y-%m-%dT%H:%M:%E*S%Ez", "%Y-%m-%dT%H:%M:%E*S"}) {
    if (!absl::ParseTime(format, std::string(value), &parsed, &error)) continue;
    const int64_t seconds = absl::ToUnixSeconds(parsed);
    // A Timestamp has the years 1 to 9999.
    if (seconds < -62135596800 || seconds > 253402300799) break;
    time.set_seconds(seconds);
    return "";
  }
  return Quoted(value) + " is no date as 2030-12-31, and no time as 2030-12-31T23:59:59Z";
}

template <google::protobuf::Timestamp* (v1::UserRecord::*Mutable)()>
std::string ReadTimeOf(std::string_view value, const SourceOptions&, v1::UserRecord& record) {
  google::protobuf::Timestamp time;
  std::string wrong = ReadTime(value, time);
  if (time.seconds() != 0) *(record.*Mutable)() = time;
  return wrong;
}

using Texts = google::protobuf::RepeatedPtrField<std::string>;

// Between spaces, commas or semicolons: no address and no name of a service has one.
void AddWords(std::string_view value, Texts& words) {
  constexpr std::string_view kBetween = " ,;\t\n";
  while (true) {
    const size_t begin = value.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) return;
    value.remove_prefix(begin);
    const size_t end = std::min(value.find_first_of(kBetween), value.size());
    words.Add(std::string(value.substr(0, end)));
    value.remove_prefix(end);
  }
}

template <Texts* (v1::UserRecord::*Mutable)()>
std::string ReadWords(std::string_view value, const SourceOptions&, v1::UserRecord& record) {
  AddWords(value, *(record.*Mutable)());
  return "";
}

template <Texts* (v1::Access::*Mutable)()>
std::string ReadRules(std::string_view value, const SourceOptions&, v1::UserRecord& record) {
  Texts words;
  AddWords(value, words);
  if (!words.empty()) (record.mutable_access()->*Mutable)()->MergeFrom(words);
  return "";
}

std::string ReadRealm(std::string_view value, const SourceOptions&, v1::UserRecord& record) {
  record.set_digest_md5_realm(std::string(value));
  return "";
}

struct KnownColumn {
  std::string_view name;
  ReadCsvValue* read;
};

constexpr std::array kColumns = {
    KnownColumn{"name", ReadName},
    KnownColumn{"username", ReadName},
    KnownColumn{"password", ReadPassword},
    KnownColumn{"enabled", ReadEnabled},
    KnownColumn{"active", ReadEnabled},
    KnownColumn{"aliases", ReadWords<&v1::UserRecord::mutable_aliases>},
    KnownColumn{"senders", ReadWords<&v1::UserRecord::mutable_senders>},
    KnownColumn{"expires", ReadTimeOf<&v1::UserRecord::mutable_expires>},
    KnownColumn{"created", ReadTimeOf<&v1::UserRecord::mutable_created>},
    KnownColumn{"password_changed", ReadTimeOf<&v1::UserRecord::mutable_password_changed>},
    KnownColumn{"must_change_password", ReadFlag<&v1::UserRecord::set_must_change_password>},
    KnownColumn{"require_app_password", ReadFlag<&v1::UserRecord::set_require_app_password>},
    KnownColumn{"send_only", ReadFlag<&v1::UserRecord::set_send_only>},
    KnownColumn{"services", ReadRules<&v1::Access::mutable_services>},
    KnownColumn{"networks", ReadRules<&v1::Access::mutable_networks>},
    KnownColumn{"mechanisms", ReadRules<&v1::Access::mutable_mechanisms>},
    KnownColumn{"digest_md5_realm", ReadRealm},
};

// Of PostfixAdmin's table mailbox: what describes the mailbox, and what sasld has no use for.
constexpr std::array<std::string_view, 2> kMailboxAttributes = {"quota", "maildir"};
constexpr std::array<std::string_view, 11> kMailboxLeftOut = {
    "local_part",     "domain",          "modified",    "phone",       "email_other", "token",
    "token_validity", "password_expiry", "smtp_active", "totp_secret", "id"};

template <class List>
bool Has(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

absl::StatusOr<CsvColumn> ColumnOf(const std::string& given, const std::string& name,
                                   bool is_mailbox) {
  constexpr std::string_view kAttribute = "attribute.";
  CsvColumn column{.name = given};
  if (name.starts_with(kAttribute) && name.size() > kAttribute.size()) {
    // As it is written: attributes have their case.
    column.attribute = given.substr(kAttribute.size());
    return column;
  }
  if (is_mailbox) {
    // The person's name there.
    if (name == "name") column.attribute = "gecos";
    if (Has(kMailboxAttributes, name)) column.attribute = name;
    if (!column.attribute.empty() || Has(kMailboxLeftOut, name)) return column;
  }
  const auto* known = std::find_if(kColumns.begin(), kColumns.end(),
                                   [&name](const KnownColumn& one) { return one.name == name; });
  if (known == kColumns.end()) {
    return absl::DataLossError("column " + Quoted(given) +
                               " is not known: the first line has to name the columns; one that "
                               "is to become an attribute is called attribute.NAME");
  }
  column.read = known->read;
  return column;
}

}  // namespace

absl::StatusOr<std::vector<CsvColumn>> CsvColumnsOf(const std::vector<std::string>& names) {
  std::vector<std::string> lower;
  for (const std::string& name : names) lower.push_back(Lower(name));
  const bool is_mailbox = Has(lower, "username");
  std::vector<CsvColumn> columns;
  std::set<std::string> seen;
  std::set<ReadCsvValue*> read;
  for (size_t i = 0; i < names.size(); ++i) {
    absl::StatusOr<CsvColumn> column = ColumnOf(names[i], lower[i], is_mailbox);
    if (!column.ok()) return column.status();
    if (!seen.insert(lower[i]).second ||
        (column->read != nullptr && !read.insert(column->read).second)) {
      return absl::DataLossError("column " + Quoted(names[i]) + " is there twice");
    }
    columns.push_back(*std::move(column));
  }
  if (!read.contains(ReadName)) {
    return absl::DataLossError("there is no column \"name\" (the first line names the columns)");
  }
  return columns;
}

}  // namespace sasld::saslctl
