#include "client/saslctl/csv_records.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "client/saslctl/password.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

void WipeFields(CsvRecord& record) {
  for (std::string& field : record.fields) Wipe(field);
  record.fields.clear();
}

void Refuse(CsvRecord& record, std::string mistake) {
  WipeFields(record);
  record.mistake = std::move(mistake);
}

}  // namespace

// Returns false at the end.
absl::StatusOr<bool> CsvReader::AddLine(std::string& text, CsvRecord& record) {
  ASSIGN_OR_RETURN(const std::optional<Line> line, lines_.Next());
  if (!line.has_value()) return false;
  if (record.line == 0) {
    record.line = line->number;
  } else {
    text += '\n';
  }
  if (line->too_long || text.size() + line->text.size() > kLineBytesMost) {
    // Nobody can tell where such a record ends.
    return absl::DataLossError(":" + std::to_string(record.line) +
                               ": the record is longer than 1 MiB; is a quote not closed?");
  }
  text += line->text;
  return true;
}

bool CsvReader::Split(std::string_view text, CsvRecord& record) const {
  const auto place = [&record] { return "field " + std::to_string(record.fields.size() + 1); };
  while (true) {
    std::string field;
    if (!text.starts_with('"')) {
      const size_t end = std::min(text.find(separator_), text.size());
      if (text.substr(0, end).find('"') != std::string_view::npos) {
        Refuse(record, place() + ": a quote in a field that does not begin with one");
        return false;
      }
      field = text.substr(0, end);
      text.remove_prefix(end);
    } else {
      text.remove_prefix(1);
      field.reserve(text.size());
      while (true) {
        const size_t quote = text.find('"');
        if (quote == std::string_view::npos) {
          Wipe(field);
          WipeFields(record);
          return true;
        }
        field += text.substr(0, quote);
        text.remove_prefix(quote + 1);
        if (!text.starts_with('"')) break;
        field += '"';
        text.remove_prefix(1);
      }
      if (!text.empty() && text[0] != separator_) {
        Wipe(field);
        Refuse(record, place() + ": something follows the closing quote");
        return false;
      }
    }
    record.fields.push_back(std::move(field));
    if (text.empty()) return false;
    text.remove_prefix(1);
  }
}

absl::StatusOr<std::optional<CsvRecord>> CsvReader::Next() {
  CsvRecord record;
  std::string text;
  do {
    record.line = 0;
    text.clear();
    ASSIGN_OR_RETURN(const bool more, AddLine(text, record));
    if (!more) return std::nullopt;
  } while (text.empty());
  while (Split(text, record)) {
    // A line without a quote closes none, and is not worth another look at all that is before it.
    size_t before = 0;
    do {
      before = text.size();
      ASSIGN_OR_RETURN(const bool more, AddLine(text, record));
      if (!more) {
        Wipe(text);
        return absl::DataLossError(":" + std::to_string(record.line) +
                                   ": a quote is not closed before the end");
      }
    } while (text.find('"', before) == std::string::npos);
  }
  if (text.find('\0') != std::string::npos) Refuse(record, "the record holds a NUL byte");
  Wipe(text);
  return record;
}

}  // namespace sasld::saslctl
