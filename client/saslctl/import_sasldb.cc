// Cyrus SASL's sasldb2, as a dump of it.
//
// Why not the file itself? Debian's libsasl2 keeps it with Berkeley DB 5.3, others with GDBM or
// LMDB, and a file is read by the library of its version only. The dump is text that every version
// writes alike, its tool comes with the library that made the file, and saslctl needs neither for
// what is done once in its life.
//
// The format: header lines, "HEADER=END", then a line for each key and one for its value, each
// after one space, and "DATA=END". In "format=bytevalue" all bytes are hexadecimal; in
// "format=print" those that print stand for themselves and others are \hh, a backslash "\\".
#include <string>
#include <utility>

#include "client/saslctl/import_sources.h"
#include "client/saslctl/password.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

constexpr std::string_view kHowToDump =
    "make a dump of it: db5.3_dump -p /etc/sasldb2 | saslctl import sasldb2 -";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte of the two digits at the beginning; -1: they are none.
int HexByte(std::string_view text) {
  if (text.size() < 2 || HexDigit(text[0]) < 0 || HexDigit(text[1]) < 0) return -1;
  return HexDigit(text[0]) * 16 + HexDigit(text[1]);
}

std::optional<std::string> DecodePrint(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    size_t used = 1;
    if (text[0] != '\\') {
      bytes += text[0];
    } else if (text.size() > 1 && text[1] == '\\') {
      bytes += '\\';
      used = 2;
    } else {
      const int byte = HexByte(text.substr(1));
      if (byte < 0) return std::nullopt;
      bytes += static_cast<char>(byte);
      used = 3;
    }
    text.remove_prefix(used);
  }
  return bytes;
}

std::optional<std::string> DecodeHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (; !text.empty(); text.remove_prefix(2)) {
    const int byte = HexByte(text);
    if (byte < 0) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

absl::Status Broken(size_t line, std::string_view what) {
  return absl::DataLossError(":" + std::to_string(line) + ": " + std::string(what));
}

class SasldbDump final : public ImportSource {
 public:
  explicit SasldbDump(LineReader& lines) : lines_(lines) {}

  absl::StatusOr<std::optional<SourceEntry>> Next() override {
    if (!header_read_) RETURN_IF_ERROR(ReadHeader());
    while (!ended_) {
      ASSIGN_OR_RETURN(const std::optional<Line> key_line, lines_.Next());
      if (!key_line.has_value()) {
        return absl::DataLossError(" ends before its DATA=END: the dump is not whole");
      }
      const size_t number = key_line->number;
      ended_ = key_line->text == "DATA=END";
      if (ended_) break;
      ASSIGN_OR_RETURN(const std::string key, Decoded(*key_line));
      ASSIGN_OR_RETURN(const std::optional<Line> value_line, lines_.Next());
      if (!value_line.has_value()) return Broken(number, "there is no value after this key");
      ASSIGN_OR_RETURN(std::string value, Decoded(*value_line));
      std::optional<SourceEntry> entry = Read(key, value);
      Wipe(value);
      if (!entry.has_value()) continue;
      entry->line = number;
      return entry;
    }
    return std::nullopt;
  }

 private:
  absl::Status ReadHeader() {
    bool is_print = false;
    bool has_format = false;
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<Line> line, lines_.Next());
      if (!line.has_value() || line->too_long ||
          (line->number == 1 && !line->text.starts_with("VERSION="))) {
        return absl::DataLossError(" is no dump of a sasldb2; if it is a sasldb2 itself, " +
                                   std::string(kHowToDump));
      }
      if (line->text == "VERSION=1" || line->text == "VERSION=2") {
        return Broken(line->number, "a dump of a version that is not known; use db5.3_dump");
      }
      if (line->text == "HEADER=END") break;
      is_print |= line->text == "format=print";
      has_format |= line->text.starts_with("format=");
      if (line->text.starts_with("format=") && line->text != "format=print" &&
          line->text != "format=bytevalue") {
        return Broken(line->number, "a format that is neither print nor bytevalue");
      }
    }
    if (!has_format) return absl::DataLossError(" is no dump of a sasldb2: it names no format");
    is_print_ = is_print;
    header_read_ = true;
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Decoded(const Line& line) const {
    if (line.too_long) return Broken(line.number, "the line is longer than 1 MiB");
    if (!line.text.starts_with(' ')) return Broken(line.number, "no line of a dump");
    std::optional<std::string> bytes =
        is_print_ ? DecodePrint(line.text.substr(1)) : DecodeHex(line.text.substr(1));
    if (!bytes.has_value()) return Broken(line.number, "no line of a dump");
    return *std::move(bytes);
  }

  // The key is user NUL realm NUL property.
  static std::optional<SourceEntry> Read(std::string_view key, std::string_view value) {
    const size_t user_end = key.find('\0');
    const size_t realm_end =
        user_end == std::string_view::npos ? user_end : key.find('\0', user_end + 1);
    if (realm_end == std::string_view::npos) {
      return SourceEntry{.content = Mistake{"the key is not user, realm and property"}};
    }
    const std::string_view user = key.substr(0, user_end);
    const std::string_view realm = key.substr(user_end + 1, realm_end - user_end - 1);
    SourceEntry entry;
    entry.name = std::string(user);
    if (!realm.empty()) entry.name += "@" + std::string(realm);
    const std::string_view property = key.substr(realm_end + 1);
    if (property != "userPassword") {
      // Such as the cmusaslsecretOTP of one who uses one-time passwords.
      entry.content = LeftOut{"property " + std::string(property) + ": only userPassword is read"};
    } else if (user.empty()) {
      entry.content = Mistake{"the user's name is empty"};
    } else {
      v1::UserRecord record;
      record.set_name(entry.name);
      std::string notation("{PLAIN}");
      notation.reserve(notation.size() + value.size());
      notation += value;
      *record.add_passwords() = std::move(notation);
      entry.content = std::move(record);
    }
    return entry;
  }

  LineReader& lines_;
  bool header_read_ = false;
  bool ended_ = false;
  bool is_print_ = false;
};

}  // namespace

std::unique_ptr<ImportSource> OpenSasldbDump(LineReader& lines) {
  return std::make_unique<SasldbDump>(lines);
}

}  // namespace sasld::saslctl
