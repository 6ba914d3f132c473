#include "client/saslctl/import_run.h"

#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "client/saslctl/connection.h"
#include "client/saslctl/import_batches.h"
#include "client/saslctl/import_file.h"
#include "client/saslctl/import_journal.h"
#include "client/saslctl/import_report.h"
#include "client/saslctl/progress.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

using Request = v1::ImportUsersRequest;
using Result = v1::ImportUsersReply::Result;

constexpr char kExists[] = "there is such a user already";

Request::IfThere IfThereOf(OnExisting on_existing) {
  switch (on_existing) {
    case OnExisting::kFail:
      return Request::FAIL;
    case OnExisting::kSkip:
      return Request::SKIP;
    case OnExisting::kReplace:
      return Request::REPLACE;
  }
  return Request::FAIL;
}

ImportFate FateOf(const Result& result) {
  switch (result.outcome()) {
    case Result::ADDED:
      return ImportFate::kAdded;
    case Result::REPLACED:
      return ImportFate::kReplaced;
    case Result::SKIPPED:
      return ImportFate::kSkipped;
    default:
      return ImportFate::kRefused;
  }
}

// The source from its beginning, in batches.
class Reading {
 public:
  Reading(ImportFile& file, const ImportOptions& options)
      : lines_([&file](char* bytes, size_t most) { return file.Read(bytes, most); }),
        source_(OpenImportSource(options.format, lines_, options.source)),
        batches_(*source_, options.default_domain) {}
  absl::StatusOr<std::optional<ImportBatch>> Next() { return batches_.Next(); }

 private:
  LineReader lines_;
  std::unique_ptr<ImportSource> source_;
  ImportBatches batches_;
};

class Run {
 public:
  Run(const Invocation& invocation, const ImportOptions& options, ImportFile file)
      : options_(options),
        file_(std::move(file)),
        connection_(invocation.server, invocation.timeout),
        progress_(STDERR_FILENO, invocation.output.format() == OutputFormat::kTable),
        report_(invocation.output, progress_, file_.name(), options.dry_run),
        server_(invocation.server) {}

  absl::Status Import() {
    std::optional<ImportJournal> journal;
    ASSIGN_OR_RETURN(const std::string identity, Identity());
    const std::string path = JournalPath();
    if (!options_.dry_run && !path.empty()) {
      ASSIGN_OR_RETURN(std::optional<ImportJournal> found, ImportJournal::Find(path, identity));
      if (found.has_value()) journal.emplace(*std::move(found));
    }
    if (journal.has_value()) {
      report_.GoOnAfter(journal->progress());
    } else {
      ASSIGN_OR_RETURN(const size_t batches, Check());
      const bool stop = options_.dry_run || (IsFail() && report_.counts().refused > 0);
      if (stop) {
        report_.End(true);
        return report_.Verdict(true);
      }
      report_.Restart();
      if (batches > 1 && !path.empty()) {
        ASSIGN_OR_RETURN(ImportJournal made, ImportJournal::Make(path, identity));
        journal.emplace(std::move(made));
        first_may_be_there_ = false;
      }
    }
    RETURN_IF_ERROR(Write(journal));
    if (journal.has_value()) RETURN_IF_ERROR(journal->Remove());
    report_.End(false);
    return report_.Verdict(false);
  }

 private:
  bool IsFail() const { return options_.on_existing == OnExisting::kFail; }

  std::string JournalPath() const {
    if (!options_.journal.empty() || options_.file == "-") return options_.journal;
    return options_.file + ".sasld-import";
  }

  // One line. What differs in it is another import.
  absl::StatusOr<std::string> Identity() {
    ASSIGN_OR_RETURN(const std::string digest, file_.Digest());
    Json identity;
    identity["sha256"] = digest;
    identity["format"] = options_.format;
    identity["domain"] = options_.default_domain;
    identity["scheme"] = options_.source.default_scheme;
    identity["existing"] = static_cast<int>(options_.on_existing);
    identity["server"] = server_;
    return identity.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  // In a text that names the file, what reading it as its format gave.
  absl::Status About(const absl::Status& status) const {
    if (!absl::IsDataLoss(status)) return status;
    return absl::DataLossError(file_.name() + std::string(status.message()));
  }

  // Returns how many batches there are.
  absl::StatusOr<size_t> Check() {
    RETURN_IF_ERROR(file_.Rewind());
    Reading reading(file_, options_);
    size_t batches = 0;
    while (true) {
      absl::StatusOr<std::optional<ImportBatch>> next = reading.Next();
      if (!next.ok()) return About(next.status());
      if (!next->has_value()) return batches;
      ++batches;
      ImportBatch& batch = **next;
      if (options_.dry_run || IsFail()) {
        // What is there is told from what is wrong by asking for it to be skipped.
        batch.request.set_if_there(IsFail() ? Request::SKIP : IfThereOf(options_.on_existing));
        batch.request.set_dry_run(true);
        ASSIGN_OR_RETURN(const v1::ImportUsersReply reply, Send(batch));
        Tell(batch, reply, IsFail() ? ImportFate::kConflict : ImportFate::kSkipped, true);
      }
      progress_.Show("checking", file_.position(), file_.size(), report_.all());
    }
  }

  absl::Status Write(std::optional<ImportJournal>& journal) {
    RETURN_IF_ERROR(file_.Rewind());
    Reading reading(file_, options_);
    const size_t done = journal.has_value() ? journal->progress().line : 0;
    while (true) {
      absl::StatusOr<std::optional<ImportBatch>> next = reading.Next();
      if (!next.ok()) return About(next.status());
      if (!next->has_value()) return absl::OkStatus();
      ImportBatch& batch = **next;
      const size_t last = batch.items.back().line;
      if (last <= done) continue;
      const bool may_be_there = std::exchange(first_may_be_there_, false) && journal.has_value();
      batch.request.set_if_there(may_be_there && IsFail() ? Request::SKIP
                                                          : IfThereOf(options_.on_existing));
      const absl::StatusOr<v1::ImportUsersReply> reply = Send(batch);
      if (!reply.ok()) return Stopped(reply.status(), journal.has_value());
      const uint64_t refused = report_.counts().refused;
      Tell(batch, *reply, may_be_there && IsFail() ? ImportFate::kAdded : ImportFate::kSkipped,
           false);
      if (IsFail() && report_.counts().refused > refused) {
        return absl::AbortedError(
            file_.name() +
            ": somebody else changed users meanwhile, so the import stopped before all was "
            "written; run it again when the lines above are settled");
      }
      if (journal.has_value()) {
        RETURN_IF_ERROR(journal->Keep({.line = last, .counts = report_.counts()}));
      }
      progress_.Show("importing", file_.position(), file_.size(), report_.all());
    }
  }

  // A batch without users is answered without asking.
  absl::StatusOr<v1::ImportUsersReply> Send(const ImportBatch& batch) {
    if (batch.request.users().empty()) return v1::ImportUsersReply();
    ASSIGN_OR_RETURN(v1::ImportUsersReply reply,
                     connection_.Call(&v1::Admin::Stub::ImportUsers, batch.request));
    if (reply.results_size() != batch.request.users_size()) {
      return absl::InternalError("the server did not answer for each user; what it did is unknown");
    }
    return reply;
  }

  // `skipped`: what the server's SKIPPED means here.
  void Tell(const ImportBatch& batch, const v1::ImportUsersReply& reply, ImportFate skipped,
            bool checking) {
    int index = 0;
    for (const ImportItem& item : batch.items) {
      if (!item.mistake.empty()) {
        report_.Tell(item, ImportFate::kRefused, item.mistake, false);
      } else if (!item.left_out.empty()) {
        // Once: when it is written, or what is written otherwise.
        report_.Tell(item, ImportFate::kSkipped, item.left_out, checking && !options_.dry_run);
      } else {
        const Result& result = reply.results(index++);
        ImportFate fate = FateOf(result);
        std::string text = result.text();
        if (fate == ImportFate::kSkipped) {
          fate = skipped;
          text = kExists;
        }
        const bool is_refused = fate == ImportFate::kRefused || fate == ImportFate::kConflict;
        report_.Tell(item, fate, text, !is_refused && !options_.dry_run);
      }
    }
  }

  static absl::Status Stopped(const absl::Status& status, bool has_journal) {
    return absl::Status(
        status.code(),
        std::string(status.message()) +
            (has_journal ? "; run the same command again, and it goes on where this one stopped"
                         : "; whether the last users were written is not known: run it again with "
                           "--on-existing skip"));
  }

  const ImportOptions& options_;
  ImportFile file_;
  Connection connection_;
  Progress progress_;
  ImportReport report_;
  const std::string server_;
  // Of a run that goes on: the batch that was under way may have been written.
  bool first_may_be_there_ = true;
};

}  // namespace

absl::Status RunImport(const Invocation& invocation, const ImportOptions& options) {
  ASSIGN_OR_RETURN(ImportFile file, ImportFile::Open(options.file));
  return Run(invocation, options, std::move(file)).Import();
}

}  // namespace sasld::saslctl
