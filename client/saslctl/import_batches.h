// What is sent at once: the users of a source in portions, with what the server need not be asked
// about settled here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "client/saslctl/import_sources.h"
#include "sasld/v1/admin.pb.h"

namespace sasld::saslctl {

// An entry of the source, without its secrets.
struct ImportItem {
  size_t line = 0;
  std::string name = {};
  // In words, if the entry is not sent.
  std::string mistake = {};
  std::string left_out = {};
  bool IsSent() const { return mistake.empty() && left_out.empty(); }
};

struct ImportBatch {
  ImportBatch() = default;
  ImportBatch(ImportBatch&&) = default;
  ImportBatch& operator=(ImportBatch&&) = default;
  ~ImportBatch();  // wipes what passwords and verifiers there are

  v1::ImportUsersRequest request;  // its users are the items that are sent, in their order
  std::vector<ImportItem> items;   // in the order of their lines
};

// At most 1000 items, at most 1 MiB (gRPC's limit is 4), and of users whose password is plaintext
// at most 100, as the server hashes those before it answers. The same source always makes the same
// batches.
//
// Names that come twice, as names or aliases and in any spelling, are mistakes from the second time
// on: the server would see that within one batch only. That takes 24 to 48 bytes of memory for a
// name. Not thread-safe.
class ImportBatches {
 public:
  // `default_domain`: appended to names without "@"; may be empty. `source` must outlive it.
  ImportBatches(ImportSource& source, std::string default_domain)
      : source_(source), default_domain_(std::move(default_domain)) {}

  // nullopt: the end. DataLoss as ImportSource::Next().
  absl::StatusOr<std::optional<ImportBatch>> Next();

 private:
  void Add(SourceEntry entry, ImportBatch& batch);
  std::string MistakeOf(const v1::UserRecord& record, size_t line);

  ImportSource& source_;
  const std::string default_domain_;
  // By a hash of the prepared name: two names with one hash are as likely as two lightning strokes.
  absl::flat_hash_map<uint64_t, size_t> line_of_;
  size_t weight_ = 0;  // of the batch that is being made
};

}  // namespace sasld::saslctl
