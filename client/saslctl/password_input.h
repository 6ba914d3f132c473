// Where a password comes from: a prompt without echo, standard input, or made here. Never the
// command line, which every process of the machine can read.
#pragma once

#include <string>
#include <string_view>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/saslctl/password.h"

namespace sasld::saslctl {

struct PasswordOptions {
  bool from_stdin = false;
  bool generate = false;
  // --password was given. Its value is not kept.
  bool on_command_line = false;
};

// Who is asked, and so how.
enum class PasswordKind {
  kNew,       // asked for twice, may be generated
  kExisting,  // asked for once
};

// Adds --password-stdin, for new passwords --generate, and the trap for --password. `options` must
// outlive the parsing.
void AddPasswordOptions(CLI::App& command, PasswordKind kind, PasswordOptions& options);

// InvalidArgument, with the reason, if the password was given on the command line. Checked before
// all else.
absl::Status RefusePasswordArgument(const PasswordOptions& options);

// The password of `user`. InvalidArgument: empty, holds a NUL, longer than
// 1024 bytes, the two entries differ, or there is no terminal to ask on. Cancelled: interrupted.
absl::StatusOr<Password> ObtainPassword(const PasswordOptions& options, PasswordKind kind,
                                        std::string_view user);

// The first line that `fd` gives, without its newline; what follows it is not looked at.
// InvalidArgument as above. Internal: cannot be read.
absl::StatusOr<Password> ReadPasswordLine(int fd);

}  // namespace sasld::saslctl
