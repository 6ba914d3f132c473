// The command line of `sasld-adapter check`.
#pragma once

#include <sys/types.h>

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace sasld {

struct CheckCommand {
  CLI::App* command = nullptr;
  std::string path;
  std::string protocol = "dovecot-auth";
  std::string as_user;
  uid_t as_uid = static_cast<uid_t>(-1);
  std::vector<std::string> as_groups;
  std::string chroot;
};

// Adds the command to `app`; `check` must outlive its parsing.
void AddCheckCommand(CLI::App& app, CheckCommand& check);

// Checks and prints. The result is the process's exit status: 0, 1 for a fault, 2 for an error in
// the command line.
int RunCheckCommand(const CheckCommand& check);

}  // namespace sasld
