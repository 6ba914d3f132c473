#include "client/saslctl/import_report.h"

#include <utility>

namespace sasld::saslctl {
namespace {

std::string_view Word(ImportFate fate) {
  switch (fate) {
    case ImportFate::kAdded:
      return "added";
    case ImportFate::kReplaced:
      return "replaced";
    case ImportFate::kSkipped:
      return "skipped";
    case ImportFate::kRefused:
    case ImportFate::kConflict:
      return "refused";
  }
  return "refused";
}

std::string Users(uint64_t count) {
  return std::to_string(count) + (count == 1 ? " user" : " users");
}

}  // namespace

void ImportReport::Tell(const ImportItem& item, ImportFate fate, std::string_view text,
                        bool silently) {
  switch (fate) {
    case ImportFate::kAdded:
      ++counts_.added;
      break;
    case ImportFate::kReplaced:
      ++counts_.replaced;
      break;
    case ImportFate::kSkipped:
      ++counts_.skipped;
      break;
    case ImportFate::kConflict:
      ++conflicts_;
      ++counts_.refused;
      break;
    case ImportFate::kRefused:
      ++counts_.refused;
      break;
  }
  if (silently) return;
  progress_.Clear();
  if (output_.format() == OutputFormat::kJson) {
    TellInJson(item, fate, text);
  } else {
    TellInTable(item, fate, text);
  }
}

void ImportReport::TellInTable(const ImportItem& item, ImportFate fate, std::string_view text) {
  std::string line = source_ + ":" + std::to_string(item.line) + ": ";
  if (!item.name.empty()) line += item.name + ": ";
  const bool is_refused = fate == ImportFate::kRefused || fate == ImportFate::kConflict;
  if (is_refused) {
    line += text;
  } else {
    line += (dry_run_ ? "would be " : "was ") + std::string(Word(fate));
    if (!text.empty()) line += ": " + std::string(text);
  }
  if (dry_run_) {
    output_.Data(Printable(line) + "\n");
  } else {
    output_.Note(line);
  }
}

void ImportReport::TellInJson(const ImportItem& item, ImportFate fate, std::string_view text) {
  Json json;
  json["line"] = item.line;
  json["name"] = item.name;
  json["outcome"] = std::string(Word(fate));
  if (!text.empty()) json["text"] = std::string(text);
  output_.Data((json_begun_ ? ",\n  " : "{\"lines\": [\n  ") +
               json.dump(-1, ' ', false, Json::error_handler_t::replace));
  json_begun_ = true;
}

void ImportReport::GoOnAfter(const ImportProgress& progress) {
  counts_ = progress.counts;
  output_.Note(source_ + ": going on after line " + std::to_string(progress.line) +
               ", where an earlier run stopped");
}

void ImportReport::End(bool nothing_written) {
  progress_.Clear();
  const bool nothing = nothing_written || dry_run_;
  if (output_.format() == OutputFormat::kJson) {
    Json json;
    json["added"] = counts_.added;
    json["replaced"] = counts_.replaced;
    json["skipped"] = counts_.skipped;
    json["refused"] = counts_.refused;
    json["written"] = !nothing;
    // The object is open already, or its list is empty.
    output_.Data((json_begun_ ? "\n]," : "{\"lines\": [],") + json.dump().substr(1) + "\n");
    return;
  }
  if (nothing_written && !dry_run_) return;  // Verdict() says it
  const std::string would = dry_run_ ? "would be " : "";
  output_.Note(source_ + ": " + Users(counts_.added) + " " + would + "added, " +
               std::to_string(counts_.replaced) + " replaced, " + std::to_string(counts_.skipped) +
               " skipped, " + std::to_string(counts_.refused) + " refused" +
               (dry_run_ ? "; a dry run, nothing was written" : ""));
}

absl::Status ImportReport::Verdict(bool nothing_written) const {
  if (counts_.refused == 0) return absl::OkStatus();
  std::string text = source_ + ": ";
  if (nothing_written && !dry_run_) text += "nothing was written: ";
  text += Users(counts_.refused) + " of " + std::to_string(all()) + " refused";
  if (conflicts_ == counts_.refused) {
    return absl::AlreadyExistsError(text +
                                    ", as they are there already (--on-existing skip or replace)");
  }
  return absl::FailedPreconditionError(text + "; the lines above say why");
}

}  // namespace sasld::saslctl
