// The columns of a CSV source: what the names on its first line mean, and how a value is read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/saslctl/import_sources.h"
#include "sasld/v1/admin.pb.h"

namespace sasld::saslctl {

// Puts `value` into the record. Returns what is wrong with it, in words that follow the column's
// name; empty: nothing.
using ReadCsvValue = std::string(std::string_view value, const SourceOptions& options,
                                 v1::UserRecord& record);

struct CsvColumn {
  std::string name;
  ReadCsvValue* read = nullptr;  // null: an attribute, or left out
  std::string attribute = {};    // not empty: the value becomes this attribute
};

// One for each name. Names are compared without regard to case. DataLoss, in words that follow the
// line's number: a name that is not known or there twice, or no column for users' names.
absl::StatusOr<std::vector<CsvColumn>> CsvColumnsOf(const std::vector<std::string>& names);

}  // namespace sasld::saslctl
