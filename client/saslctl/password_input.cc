#include "client/saslctl/password_input.h"

#include <string.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "client/saslctl/output.h"
#include "client/saslctl/terminal.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

// CreateUserRequest.password: 1 to 1024 bytes, no NUL. Checked here too, because a line cut short
// would be another password.
constexpr size_t kPasswordBytesMost = 1024;

absl::Status CheckPassword(const Password& password) {
  if (password.empty()) return absl::InvalidArgumentError("the password is empty");
  if (password.Reveal().find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError("the password holds a NUL byte");
  }
  if (password.Reveal().size() > kPasswordBytesMost) {
    return absl::InvalidArgumentError("the password is longer than 1024 bytes");
  }
  return absl::OkStatus();
}

absl::StatusOr<Password> AskForPassword(PasswordKind kind, std::string_view user) {
  absl::StatusOr<Terminal> terminal = Terminal::Open();
  if (!terminal.ok()) {
    return absl::InvalidArgumentError(
        std::string("no terminal to ask for the password on: use --password-stdin") +
        (kind == PasswordKind::kNew ? " or --generate" : ""));
  }
  const std::string of_user = " of " + Printable(user) + ": ";
  const bool is_new = kind == PasswordKind::kNew;
  ASSIGN_OR_RETURN(
      Password password,
      terminal->ReadLine((is_new ? "New password" : "Password") + of_user, Echo::kOff));
  RETURN_IF_ERROR(CheckPassword(password));
  if (!is_new) return password;
  ASSIGN_OR_RETURN(Password again, terminal->ReadLine("Once more: ", Echo::kOff));
  if (!SamePassword(password, again)) {
    return absl::InvalidArgumentError("the two entries differ; nothing was changed");
  }
  return password;
}

}  // namespace

void AddPasswordOptions(CLI::App& command, PasswordKind kind, PasswordOptions& options) {
  CLI::Option* from_stdin =
      command.add_flag("--password-stdin", options.from_stdin,
                       "Read the password from standard input: one line, its newline not counted");
  if (kind == PasswordKind::kNew) {
    command
        .add_flag("--generate", options.generate,
                  "Make a random password (125 bits) and print it, this once, on standard output")
        ->excludes(from_stdin);
  }
  // Hidden, taken with or without a value, so that the refusal can say why and never repeats the
  // value.
  command
      .add_option_function<std::string>(
          "-p,--password", [&options](const std::string&) { options.on_command_line = true; })
      ->expected(0, 1)
      ->group("");
}

absl::Status RefusePasswordArgument(const PasswordOptions& options) {
  if (!options.on_command_line) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "--password is not accepted: every process on this machine can read a command line. Leave it "
      "out to be asked, or use --password-stdin");
}

absl::StatusOr<Password> ReadPasswordLine(int fd) {
  // One byte more than is allowed shows that a line is too long.
  std::array<char, kPasswordBytesMost + 1> buffer;
  size_t size = 0;
  while (size < buffer.size()) {
    // A byte a time: what follows the line belongs to whoever shares this input.
    const ssize_t got = read(fd, buffer.data() + size, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::InternalError("cannot read the password from standard input");
    if (got == 0 || buffer[size] == '\n') break;
    ++size;
  }
  Password password(std::string_view(buffer.data(), size));
  explicit_bzero(buffer.data(), buffer.size());
  RETURN_IF_ERROR(CheckPassword(password));
  return password;
}

absl::StatusOr<Password> ObtainPassword(const PasswordOptions& options, PasswordKind kind,
                                        std::string_view user) {
  if (options.generate) return GeneratePassword();
  if (!options.from_stdin) return AskForPassword(kind, user);
  if (isatty(STDIN_FILENO) != 0) {
    return absl::InvalidArgumentError(
        "--password-stdin on a terminal would show the password: leave it out to be asked");
  }
  return ReadPasswordLine(STDIN_FILENO);
}

}  // namespace sasld::saslctl
