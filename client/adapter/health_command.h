// The command line of `sasld-adapter health`.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "proto/common/toml_reader.h"

namespace sasld {

struct HealthCommand {
  CLI::App* command = nullptr;
  std::string timeout = "3s";
  bool ready = false;  // ask sasld too
};

// Adds the command to `app`; `health` must outlive its parsing.
void AddHealthCommand(CLI::App& app, HealthCommand& health);

// Looks whether the adapter that runs by this configuration does its work, and prints one line. The
// result is the process's exit status: 0, 1 if it does not, 2 for an error in the command line.
int RunHealthCommand(const HealthCommand& health, const ConfigSource& source);

}  // namespace sasld
