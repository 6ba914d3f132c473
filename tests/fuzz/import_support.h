// Reads a source to its end and holds it against what import_sources.h and import_batches.h
// promise.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/saslctl/import_batches.h"
#include "client/saslctl/import_sources.h"
#include "tests/fuzz/support.h"

namespace sasld::fuzz {

inline void ReadAll(std::string_view format, std::string_view text) {
  saslctl::LineReader lines([&text](char* bytes, size_t most) -> absl::StatusOr<size_t> {
    // Small portions, so that lines are cut everywhere.
    const size_t count = text.copy(bytes, std::min(most, size_t{13}));
    text.remove_prefix(count);
    return count;
  });
  const std::unique_ptr<saslctl::ImportSource> source =
      saslctl::OpenImportSource(format, lines, {});
  saslctl::ImportBatches batches(*source, "example.org");
  size_t line = 0;
  while (true) {
    const absl::StatusOr<std::optional<saslctl::ImportBatch>> batch = batches.Next();
    if (!batch.ok()) {
      Require(absl::IsDataLoss(batch.status()), "only the text can be wrong");
      const std::string told(batch.status().message());
      Require(told.starts_with(':') || told.starts_with(' '),
              "the text can follow the file's name");
      return;
    }
    if (!batch->has_value()) return;
    Require((*batch)->items.size() <= 1000, "a batch has its limit");
    int sent = 0;
    for (const saslctl::ImportItem& item : (*batch)->items) {
      Require(item.line > line, "lines grow");
      line = item.line;
      if (item.IsSent()) ++sent;
    }
    Require(sent == (*batch)->request.users_size(), "what is sent is a user of the request");
    for (const v1::UserRecord& user : (*batch)->request.users()) {
      Require(!user.name().empty(), "a user has a name");
      Require(!user.SerializeAsString().empty(), "a user can be sent");
    }
  }
}

}  // namespace sasld::fuzz
