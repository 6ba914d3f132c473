// What saslctl says, and where: data on standard output, all else on standard error.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "google/protobuf/timestamp.pb.h"
#include "sasld/v1/admin.pb.h"

namespace sasld::saslctl {

enum class OutputFormat { kTable, kJson };

using Json = nlohmann::ordered_json;

// `text` with control characters as \xNN: what a server sends cannot steer the terminal.
std::string Printable(std::string_view text);

// "2024-05-06T07:08:09Z" (RFC 3339); empty for an unset one.
std::string TimeText(const google::protobuf::Timestamp& time);

// The members name, enabled, epoch, created, password_changed, mechanisms, rules, aliases and
// app_passwords (how many). Unset times are null.
Json UserJson(const v1::User& user);

// "SCRAM-SHA-256, PLAIN", "-" for none.
std::string JoinNames(const google::protobuf::RepeatedPtrField<std::string>& names);

// Not thread-safe. A reader that went away (EPIPE) is no error: the rest is dropped silently.
class Output {
 public:
  using Rows = std::vector<std::pair<std::string_view, std::string>>;

  // The descriptors stay the caller's.
  Output(OutputFormat format, int out, int err) : format_(format), out_(out), err_(err) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  OutputFormat format() const { return format_; }
  // As it is, to standard output.
  void Data(std::string_view text);
  // An object: `json` in JSON, `rows` as aligned lines in a table.
  void Object(const Json& json, const Rows& rows);
  // A list: `json` in JSON; in a table `lines` in aligned columns, the first of them the headings.
  using Line = std::vector<std::string>;
  void Table(const Json& json, const std::vector<Line>& lines);
  // A sentence for the person, to standard error; left out in JSON.
  void Note(std::string_view text);
  // "saslctl: message", or {"error":{"code":"not_found","message":"…"}} in JSON, to standard error.
  void Error(const absl::Status& status);
  bool reader_gone() const { return reader_gone_; }
  // Internal: standard output could not be written, such as on a full disk.
  absl::Status Finish() const;

 private:
  const OutputFormat format_;
  const int out_;
  const int err_;
  bool reader_gone_ = false;
  int write_error_ = 0;
};

// A list of users that is written as its pages come. Borrows `output`.
class UserListing {
 public:
  explicit UserListing(Output& output) : output_(output) {}
  // Once for each page, an empty one included.
  void Page(const google::protobuf::RepeatedPtrField<v1::User>& users);
  // After the last page. Not after an error: half a list must not look whole.
  void End();

 private:
  void TablePage(const google::protobuf::RepeatedPtrField<v1::User>& users);
  Output& output_;
  bool begun_ = false;
  bool any_ = false;
  size_t name_width_ = 0;
};

}  // namespace sasld::saslctl
