// What became of each line of a source, as people and programs are told.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "client/saslctl/import_batches.h"
#include "client/saslctl/import_journal.h"
#include "client/saslctl/output.h"
#include "client/saslctl/progress.h"
#include "sasld/v1/admin.pb.h"

namespace sasld::saslctl {

enum class ImportFate { kAdded, kReplaced, kSkipped, kRefused, kConflict };

// In a table, lines "passwd:12: ann@example.org: …": of a dry run all, on standard output; else
// those that were refused or left out, on standard error. In JSON one object, on standard output,
// that has the same lines. Borrows all it is given. Not thread-safe.
class ImportReport {
 public:
  ImportReport(Output& output, Progress& progress, std::string source, bool dry_run)
      : output_(output), progress_(progress), source_(std::move(source)), dry_run_(dry_run) {}

  // Counts it, and tells of it unless `silently`. kConflict is refused: there is such a user.
  void Tell(const ImportItem& item, ImportFate fate, std::string_view text, bool silently);
  // Begins with what was told by an earlier run.
  void GoOnAfter(const ImportProgress& progress);
  // `nothing_written`: what was counted stopped the import. Call once, at the end.
  void End(bool nothing_written);

  const ImportCounts& counts() const { return counts_; }
  uint64_t all() const {
    return counts_.added + counts_.replaced + counts_.skipped + counts_.refused;
  }
  // Counts from nothing again.
  void Restart() { counts_ = {}; }
  // OK if nothing was refused. AlreadyExists: all that was refused is there already.
  // FailedPrecondition: else.
  absl::Status Verdict(bool nothing_written) const;

 private:
  void TellInTable(const ImportItem& item, ImportFate fate, std::string_view text);
  void TellInJson(const ImportItem& item, ImportFate fate, std::string_view text);

  Output& output_;
  Progress& progress_;
  const std::string source_;
  const bool dry_run_;
  ImportCounts counts_;
  uint64_t conflicts_ = 0;
  bool json_begun_ = false;
};

}  // namespace sasld::saslctl
