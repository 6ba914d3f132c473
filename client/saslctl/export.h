// saslctl export [FILE]
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/saslctl/invocation.h"
#include "sasld/v1/admin.pb.h"

namespace sasld::saslctl {

// The record as one line of protobuf's JSON mapping, without its newline. Equal records make equal
// lines. Internal: it cannot be told in JSON (text that is not UTF-8).
absl::StatusOr<std::string> JsonLine(const v1::UserRecord& record);

// Holds its options; must outlive the parsing of `app`.
class ExportCommand {
 public:
  explicit ExportCommand(CLI::App& app);
  ExportCommand(const ExportCommand&) = delete;
  ExportCommand& operator=(const ExportCommand&) = delete;

  bool Chosen() const { return export_->parsed(); }
  absl::Status Run(const Invocation& invocation);

 private:
  CLI::App* export_;
  std::string file_;
  std::string prefix_;
};

}  // namespace sasld::saslctl
