// What a program says of a command line that CLI11 does not take.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace sasld {

// One line that names the mistake and where to read on. What stands where nothing belongs is not
// repeated, as it may be a password. `app` has a name, and threw `error` when it parsed.
inline std::string WhatIsWrong(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* command = &app;
  std::string name = app.get_name();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    name += " " + command->get_name();
  }
  std::string commands;
  for (const CLI::App* one : command->get_subcommands([](const CLI::App*) { return true; })) {
    commands += (commands.empty() ? "" : ", ") + one->get_name();
  }

  const std::vector<std::string> left_over = app.remaining(true);
  const std::string unknown = left_over.empty() ? "" : left_over.front();
  const auto code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  std::string what = error.what();
  if (code != CLI::ExitCodes::RequiredError && code != CLI::ExitCodes::ExtrasError) {
    // CLI11 says it well.
  } else if (unknown.starts_with("--")) {
    what = "there is no option " + unknown.substr(0, unknown.find('='));
  } else if (unknown.starts_with('-')) {
    what = "there is no option " + unknown.substr(0, 2);
  } else if (!commands.empty()) {
    what = unknown.empty() ? "a command is missing" : "\"" + unknown + "\" is no command";
    what += (commands.find(',') == std::string::npos ? "; there is " : "; there are ") + commands;
  } else if (!unknown.empty()) {
    what = "too many arguments";
  }
  return what + " (" + name + " --help tells more)";
}

}  // namespace sasld
