// saslctl hash …
#pragma once

#include <cstdint>
#include <string>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "client/saslctl/invocation.h"

namespace sasld::saslctl {

// Holds the options of its command; must outlive the parsing of `app`.
class HashCommands {
 public:
  explicit HashCommands(CLI::App& app);
  HashCommands(const HashCommands&) = delete;
  HashCommands& operator=(const HashCommands&) = delete;

  bool Chosen() const { return hash_->parsed(); }
  absl::Status Run(const Invocation& invocation);

 private:
  CLI::App* hash_;
  std::string target_ = "50ms";
  uint32_t memory_mib_ = 0;
};

}  // namespace sasld::saslctl
