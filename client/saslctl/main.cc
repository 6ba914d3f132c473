// saslctl: the administrator's tool. Talks to sasld's admin socket, never to the database.
#include <signal.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/saslctl/app_password.h"
#include "client/saslctl/auth.h"
#include "client/saslctl/backup.h"
#include "client/saslctl/domain.h"
#include "client/saslctl/exit_status.h"
#include "client/saslctl/export.h"
#include "client/saslctl/hash.h"
#include "client/saslctl/import.h"
#include "client/saslctl/invocation.h"
#include "client/saslctl/key.h"
#include "client/saslctl/mechanism.h"
#include "client/saslctl/output.h"
#include "client/saslctl/status.h"
#include "client/saslctl/user.h"
#include "client/saslctl/utf8.h"
#include "proto/common/command_line.h"
#include "proto/common/grpc_process.h"

namespace sasld::saslctl {
namespace {

constexpr char kDescription[] =
    "Administers sasld: its users, their app passwords, domains, import and export, keys, test "
    "logins, the "
    "cost of "
    "hashing, its status, backups. Data goes to standard output, all else to standard error.";
constexpr char kFooter[] =
    "Exit status: 0 done, 1 error, 2 wrong command line, 3 no such user or domain, 4 denied or "
    "login "
    "refused, "
    "5 exists already, 6 forbidden by a rule of the server, 7 server not available.\n"
    "Times are UTC (RFC 3339). Passwords are never taken from the command line.";

struct GlobalOptions {
  std::string server = "unix:/run/sasld/admin.sock";
  std::string output = "table";
  std::string timeout = "30s";
};

// The format that errors in the command line itself are written in, when parsing did not get as
// far.
OutputFormat FormatAskedFor(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "-ojson" || argument == "-o=json" || argument == "--output=json") {
      return OutputFormat::kJson;
    }
    if ((argument == "-o" || argument == "--output") && i + 1 < argc &&
        std::string_view(argv[i + 1]) == "json") {
      return OutputFormat::kJson;
    }
  }
  return OutputFormat::kTable;
}

void AddGlobalOptions(CLI::App& app, GlobalOptions& options) {
  app.add_option("--server", options.server, "The admin socket of sasld")
      ->envname("SASLCTL_SERVER")
      ->capture_default_str()
      ->type_name("unix:PATH");
  app.add_option("-o,--output", options.output, "How data is written: table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  app.add_option("--timeout", options.timeout,
                 "How long to wait for the server, such as 5s or 500ms")
      ->capture_default_str()
      ->type_name("DURATION");
  app.set_version_flag("--version", "saslctl " SASLD_VERSION, "Print the version and leave");
}

// What is not UTF-8 (typed on a Latin-1 terminal, say) would be no name to sasld either.
absl::Status CheckEncoding(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (!IsUtf8(argv[i])) {
      return absl::InvalidArgumentError("argument " + std::to_string(i) +
                                        " is not UTF-8; is the terminal set to it?");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Duration> ParseTimeout(const std::string& text) {
  absl::Duration timeout;
  if (!absl::ParseDuration(text, &timeout) || timeout <= absl::ZeroDuration() ||
      timeout > absl::Hours(1)) {
    return absl::InvalidArgumentError("--timeout: \"" + text +
                                      "\" is not a duration such as 5s or 500ms, at most 1h");
  }
  return timeout;
}

int Leave(Output& output, const absl::Status& status) {
  if (!status.ok()) output.Error(status);
  return static_cast<int>(ExitStatusOf(status));
}

int Main(int argc, char** argv) {
  CLI::App app(kDescription, "saslctl");
  GlobalOptions options;
  AddGlobalOptions(app, options);
  UserCommands user(app);
  AppPasswordCommands app_password(app);
  DomainCommands domain(app);
  AuthCommands auth(app);
  ImportCommand import_command(app);
  ExportCommand export_command(app);
  KeyCommands key(app);
  MechanismCommands mechanism(app);
  HashCommands hash(app);
  StatusCommand status(app);
  BackupCommand backup(app);
  app.require_subcommand(1);
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    Output output(FormatAskedFor(argc, argv), STDOUT_FILENO, STDERR_FILENO);
    return Leave(output, absl::InvalidArgumentError(WhatIsWrong(app, error)));
  }
  Output output(options.output == "json" ? OutputFormat::kJson : OutputFormat::kTable,
                STDOUT_FILENO, STDERR_FILENO);
  if (const absl::Status encoding = CheckEncoding(argc, argv); !encoding.ok()) {
    return Leave(output, encoding);
  }
  const absl::StatusOr<absl::Duration> timeout = ParseTimeout(options.timeout);
  if (!timeout.ok()) return Leave(output, timeout.status());
  const Invocation invocation{options.server, *timeout, output};
  absl::Status result;
  if (user.Chosen()) result = user.Run(invocation);
  if (app_password.Chosen()) result = app_password.Run(invocation);
  if (domain.Chosen()) result = domain.Run(invocation);
  if (auth.Chosen()) result = auth.Run(invocation);
  if (import_command.Chosen()) result = import_command.Run(invocation);
  if (export_command.Chosen()) result = export_command.Run(invocation);
  if (key.Chosen()) result = key.Run(invocation);
  if (mechanism.Chosen()) result = mechanism.Run(invocation);
  if (hash.Chosen()) result = hash.Run(invocation);
  if (status.Chosen()) result = status.Run(invocation);
  if (backup.Chosen()) result = backup.Run(invocation);
  result.Update(output.Finish());
  return Leave(output, result);
}

}  // namespace
}  // namespace sasld::saslctl

int main(int argc, char** argv) {
  // A reader that goes away is seen as EPIPE, and is no error.
  if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) return 1;
  sasld::ResolveAsTheSystemDoes();
  return sasld::saslctl::Main(argc, argv);
}
