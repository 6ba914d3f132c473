// Users from comma separated values; SQL tables come by way of them.
#include <utility>

#include "client/saslctl/csv_columns.h"
#include "client/saslctl/csv_records.h"
#include "client/saslctl/import_sources.h"
#include "client/saslctl/password.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

// What databases write for no value: an empty field, PostgreSQL's and MySQL's \N, MySQL's NULL.
bool IsNull(std::string_view value) { return value == "\\N" || value == "NULL"; }

class CsvSource final : public ImportSource {
 public:
  CsvSource(LineReader& lines, SourceOptions options)
      : records_(lines), options_(std::move(options)) {}

  absl::StatusOr<std::optional<SourceEntry>> Next() override {
    if (columns_.empty()) RETURN_IF_ERROR(ReadHeader());
    ASSIGN_OR_RETURN(std::optional<CsvRecord> record, records_.Next());
    if (!record.has_value()) return std::nullopt;
    SourceEntry entry = Read(*record);
    entry.line = record->line;
    for (std::string& field : record->fields) Wipe(field);
    return entry;
  }

 private:
  absl::Status ReadHeader() {
    ASSIGN_OR_RETURN(std::optional<CsvRecord> header, records_.Next());
    if (!header.has_value()) {
      return absl::DataLossError(" is empty; its first line has to name the columns");
    }
    const std::string place = ":" + std::to_string(header->line) + ": ";
    if (!header->mistake.empty()) return absl::DataLossError(place + header->mistake);
    // MySQL's client writes tabs (--batch), and so do spreadsheets when asked.
    if (header->fields.size() == 1 && header->fields[0].find('\t') != std::string::npos) {
      records_.set_separator('\t');
      SplitAtTabs(*header);
    }
    absl::StatusOr<std::vector<CsvColumn>> columns = CsvColumnsOf(header->fields);
    if (!columns.ok()) {
      return absl::DataLossError(place + std::string(columns.status().message()));
    }
    columns_ = *std::move(columns);
    return absl::OkStatus();
  }

  static void SplitAtTabs(CsvRecord& header) {
    std::string rest = std::move(header.fields[0]);
    header.fields.clear();
    for (size_t tab = rest.find('\t'); tab != std::string::npos; tab = rest.find('\t')) {
      header.fields.push_back(rest.substr(0, tab));
      rest.erase(0, tab + 1);
    }
    header.fields.push_back(std::move(rest));
  }

  SourceEntry Read(const CsvRecord& read) const {
    SourceEntry entry;
    if (!read.mistake.empty()) {
      entry.content = Mistake{read.mistake};
      return entry;
    }
    if (read.fields.size() != columns_.size()) {
      entry.content = Mistake{"it has " + std::to_string(read.fields.size()) + " fields, the " +
                              "first line names " + std::to_string(columns_.size())};
      return entry;
    }
    v1::UserRecord record;
    std::string mistake;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const CsvColumn& column = columns_[i];
      const std::string_view value =
          IsNull(read.fields[i]) ? std::string_view() : std::string_view(read.fields[i]);
      if (!column.attribute.empty()) {
        if (!value.empty()) (*record.mutable_attributes())[column.attribute] = std::string(value);
      } else if (column.read != nullptr) {
        const std::string wrong = column.read(value, options_, record);
        if (!wrong.empty() && mistake.empty()) {
          mistake = "column \"" + column.name + "\": " + wrong;
        }
      }
    }
    entry.name = record.name();
    if (!mistake.empty()) {
      entry.content = Mistake{std::move(mistake)};
    } else {
      entry.content = std::move(record);
    }
    return entry;
  }

  CsvReader records_;
  const SourceOptions options_;
  std::vector<CsvColumn> columns_;
};

}  // namespace

std::unique_ptr<ImportSource> OpenCsv(LineReader& lines, const SourceOptions& options) {
  return std::make_unique<CsvSource>(lines, options);
}

}  // namespace sasld::saslctl
