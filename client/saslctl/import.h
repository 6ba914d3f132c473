// saslctl import FORMAT FILE
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "client/saslctl/import_run.h"
#include "client/saslctl/invocation.h"

namespace sasld::saslctl {

// Holds its options; must outlive the parsing of `app`.
class ImportCommand {
 public:
  explicit ImportCommand(CLI::App& app);
  ImportCommand(const ImportCommand&) = delete;
  ImportCommand& operator=(const ImportCommand&) = delete;

  bool Chosen() const { return import_->parsed(); }
  absl::Status Run(const Invocation& invocation);

 private:
  CLI::App* import_;
  ImportOptions options_;
  std::string on_existing_ = "fail";
};

}  // namespace sasld::saslctl
