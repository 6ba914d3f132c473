#include "client/adapter/check_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "client/adapter/check_socket.h"
#include "proto/common/accounts.h"
#include "proto/common/status_macros.h"
#include "spdlog/fmt/fmt.h"

namespace sasld {
namespace {

constexpr int kFault = 1;
constexpr int kUsage = 2;
constexpr uid_t kNone = static_cast<uid_t>(-1);
constexpr gid_t kNoGroup = 65534;

absl::Status NoSuch(const std::string& option, const std::string& value, const char* kind) {
  return absl::NotFoundError(
      fmt::format("{}: \"{}\" is no {} of this system", option, value, kind));
}

absl::StatusOr<SocketUser> UserOf(const CheckCommand& check) {
  if (check.as_user.empty() && check.as_uid == kNone) return ThisProcess();
  SocketUser user{"", check.as_uid, {}};
  if (!check.as_user.empty()) {
    absl::StatusOr<uid_t> uid = UserIdOf(check.as_user);
    absl::StatusOr<SystemUser> account = uid.ok() ? SystemUserOf(*uid) : uid.status();
    if (!account.ok()) return NoSuch("--as-user", check.as_user, "user");
    user = {account->name, account->uid, GroupsOf(*account)};
  }
  for (const std::string& name : check.as_groups) {
    absl::StatusOr<gid_t> group = GroupIdOf(name);
    if (!group.ok()) return NoSuch("--as-group", name, "group");
    user.groups.push_back(*group);
  }
  if (user.groups.empty()) user.groups.push_back(kNoGroup);
  return user;
}

absl::StatusOr<SocketProbe> ProbeFor(const CheckCommand& check) {
  SocketProbe probe;
  probe.place = {check.path, check.chroot};
  constexpr std::string_view kScheme = "unix:";  // Postfix takes it, so it may be in main.cf
  if (probe.place.path.starts_with(kScheme)) probe.place.path.erase(0, kScheme.size());
  if (probe.place.path.empty()) return absl::InvalidArgumentError("PATH is empty");
  if (!check.as_groups.empty() && check.as_user.empty() && check.as_uid == kNone) {
    return absl::InvalidArgumentError("--as-group wants --as-user or --as-uid");
  }
  ASSIGN_OR_RETURN(probe.user, UserOf(check));
  probe.await_greeting = check.protocol == "dovecot-auth";
  // An ordinary user may ask as itself.
  const bool same = probe.user.uid == geteuid() && check.as_groups.empty();
  if (geteuid() != 0 && (!same || !check.chroot.empty())) {
    return absl::FailedPreconditionError(
        "to connect as another user or from inside of a chroot, it must be run as root");
  }
  probe.become_user = geteuid() == 0 && (!check.as_user.empty() || check.as_uid != kNone);
  return probe;
}

}  // namespace

void AddCheckCommand(CLI::App& app, CheckCommand& check) {
  CLI::App* command = app.add_subcommand(
      "check", "Connect to a socket as a mail server does, and tell what is wrong with it");
  check.command = command;
  command
      ->add_option("PATH", check.path,
                   "The socket; a relative path is relative to the chroot, or to this folder")
      ->required();
  command->add_option("--protocol", check.protocol, "What is spoken there")
      ->check(CLI::IsMember({"dovecot-auth", "saslauthd"}))
      ->capture_default_str();
  CLI::Option* as_user = command
                             ->add_option("--as-user", check.as_user,
                                          "Connect as this user, with all groups of its account")
                             ->type_name("USER|UID");
  command
      ->add_option("--as-uid", check.as_uid,
                   "Connect as this user, which needs no account, with no groups but --as-group")
      ->type_name("UID")
      ->excludes(as_user);
  command
      ->add_option("--as-group", check.as_groups, "And in this group; may be given more than once")
      ->type_name("GROUP")
      ->allow_extra_args(false);
  command
      ->add_option("--chroot", check.chroot,
                   "Connect from inside of it; for Postfix its queue, /var/spool/postfix")
      ->type_name("DIR");
}

int RunCheckCommand(const CheckCommand& check) {
  absl::StatusOr<SocketProbe> probe = ProbeFor(check);
  if (!probe.ok()) {
    fmt::print(stderr, "sasld-adapter check: {} (sasld-adapter check --help tells more)\n",
               std::string(probe.status().message()));
    return kUsage;
  }
  absl::StatusOr<SocketVerdict> verdict = CheckSocket(*probe);
  if (!verdict.ok()) {
    fmt::print(stderr, "sasld-adapter check: {}\n", std::string(verdict.status().message()));
    return kFault;
  }
  if (const auto* fault = std::get_if<SocketFault>(&*verdict)) {
    fmt::print(stderr, "{}\n  {}\n", fault->what, fault->fix);
    return kFault;
  }
  const auto& working = std::get<WorkingSocket>(*verdict);
  fmt::print("{}: OK for {}: {}\n", probe->place.path, probe->user.text(),
             working.mechanisms.empty() ? "takes connections"
                                        : "offers " + absl::StrJoin(working.mechanisms, ", "));
  return 0;
}

}  // namespace sasld
