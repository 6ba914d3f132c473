// The command line of `sasld health`.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "proto/common/toml_reader.h"

namespace sasld {

struct HealthCommand {
  CLI::App* command = nullptr;
  std::string timeout = "3s";
};

// Adds the command to `app`; `health` must outlive its parsing.
void AddHealthCommand(CLI::App& app, HealthCommand& health);

// Asks the sasld that runs by this configuration whether it serves, and prints one line. The result
// is the process's exit status: 0, 1 if it does not, 2 for an error in the command line.
int RunHealthCommand(const HealthCommand& health, const ConfigSource& source);

}  // namespace sasld
