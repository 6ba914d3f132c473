// saslctl key …
#pragma once

#include <cstdint>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "client/saslctl/invocation.h"

namespace sasld::saslctl {

// Holds the options of its commands; must outlive the parsing of `app`.
class KeyCommands {
 public:
  explicit KeyCommands(CLI::App& app);
  KeyCommands(const KeyCommands&) = delete;
  KeyCommands& operator=(const KeyCommands&) = delete;

  bool Chosen() const { return key_->parsed(); }
  // Runs the command that was parsed.
  absl::Status Run(const Invocation& invocation);

 private:
  absl::Status List(const Invocation& invocation);
  absl::Status Rotate(const Invocation& invocation);
  absl::Status Retire(const Invocation& invocation);

  CLI::App* key_;
  CLI::App* list_;
  CLI::App* rotate_;
  CLI::App* retire_;
  uint32_t id_ = 0;
  bool yes_ = false;
};

}  // namespace sasld::saslctl
