#include "client/saslctl/import_sources.h"

#include <utility>

#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

// Formats of which each line stands for itself.
class EachLine final : public ImportSource {
 public:
  EachLine(LineReader& lines, ReadUserLine& read, SourceOptions options)
      : lines_(lines), read_(read), options_(std::move(options)) {}

  absl::StatusOr<std::optional<SourceEntry>> Next() override {
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<Line> line, lines_.Next());
      if (!line.has_value()) return std::nullopt;
      std::optional<SourceEntry> entry = Read(*line);
      if (!entry.has_value()) continue;
      entry->line = line->number;
      return entry;
    }
  }

 private:
  std::optional<SourceEntry> Read(const Line& line) {
    if (line.too_long) return SourceEntry{.content = Mistake{"the line is longer than 1 MiB"}};
    if (line.text.find('\0') != std::string_view::npos) {
      return SourceEntry{.content = Mistake{"the line holds a NUL byte; is this a text file?"}};
    }
    return read_(line.text, options_);
  }

  LineReader& lines_;
  ReadUserLine& read_;
  const SourceOptions options_;
};

}  // namespace

const std::vector<std::string>& ImportFormats() {
  static const std::vector<std::string> formats = {"dovecot-passwd", "htpasswd", "shadow",
                                                   "sasldb2",        "csv",      "jsonl"};
  return formats;
}

std::unique_ptr<ImportSource> OpenImportSource(std::string_view format, LineReader& lines,
                                               const SourceOptions& options) {
  if (format == "sasldb2") return OpenSasldbDump(lines);
  if (format == "csv") return OpenCsv(lines, options);
  ReadUserLine& read = format == "dovecot-passwd" ? ReadDovecotPasswdLine
                       : format == "htpasswd"     ? ReadHtpasswdLine
                       : format == "shadow"       ? ReadShadowLine
                                                  : ReadJsonLine;
  return std::make_unique<EachLine>(lines, read, options);
}

std::string WithScheme(std::string_view password, std::string_view scheme) {
  std::string notation;
  // At once, so that growing leaves no copy behind.
  notation.reserve(password.size() + scheme.size() + 2);
  if (!password.starts_with('{')) {
    notation += '{';
    notation += scheme;
    notation += '}';
  }
  notation += password;
  return notation;
}

}  // namespace sasld::saslctl
