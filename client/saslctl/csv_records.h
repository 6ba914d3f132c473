// Comma separated values, as RFC 4180 has them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/saslctl/import_lines.h"

namespace sasld::saslctl {

struct CsvRecord {
  size_t line = 0;  // where it begins
  std::vector<std::string> fields;
  // Not empty: what is wrong with it; there are no fields then.
  std::string mistake;
};

// What a record is made of by its separator: quoted fields may hold it, line breaks (read as LF),
// and quotes, doubled. A quote elsewhere than around a whole field is a mistake, as RFC 4180 has
// it; to guess would make another password of it. Not thread-safe.
class CsvReader {
 public:
  // `lines` must outlive it.
  explicit CsvReader(LineReader& lines) : lines_(lines) {}

  // A comma unless set.
  void set_separator(char separator) { separator_ = separator; }
  // Lines without anything are left out. nullopt: the end. DataLoss as ImportSource::Next().
  absl::StatusOr<std::optional<CsvRecord>> Next();

 private:
  absl::StatusOr<bool> AddLine(std::string& text, CsvRecord& record);
  // Whether a quote is still open at the end of `text`.
  bool Split(std::string_view text, CsvRecord& record) const;

  LineReader& lines_;
  char separator_ = ',';
};

}  // namespace sasld::saslctl
