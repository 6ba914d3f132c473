#include "tests/client/saslctl/process.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sasld::saslctl {
namespace {

constexpr int kPatienceMilliseconds = 20'000;

// argv for exec; borrows the strings.
std::vector<char*> Argv(std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return argv;
}

std::vector<std::string> WithProgram(const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {SASLCTL_PROGRAM};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

int ExitStatusOfWait(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Pipe {
  Pipe() { valid = pipe2(ends.data(), O_CLOEXEC) == 0; }
  int reader() const { return ends[0]; }
  int writer() const { return ends[1]; }
  std::array<int, 2> ends;
  bool valid;
};

// Reads both to their ends.
void Drain(int out, int err, RunResult& result) {
  std::array<pollfd, 2> ready = {pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  std::array<std::string*, 2> texts = {&result.out, &result.err};
  std::array<char, 4096> buffer;
  while (ready[0].fd >= 0 || ready[1].fd >= 0) {
    if (poll(ready.data(), ready.size(), kPatienceMilliseconds) <= 0) return;
    for (size_t i = 0; i < ready.size(); ++i) {
      if (ready[i].fd < 0 || ready[i].revents == 0) continue;
      const ssize_t got = read(ready[i].fd, buffer.data(), buffer.size());
      if (got <= 0) {
        ready[i].fd = -1;
      } else {
        texts[i]->append(buffer.data(), static_cast<size_t>(got));
      }
    }
  }
}

}  // namespace

RunResult RunSaslctl(const std::vector<std::string>& arguments, std::string_view input) {
  const Pipe in, out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.reader(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.writer(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.writer(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // The program gets SIGPIPE as from a shell, though this process ignores it.
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> all = WithProgram(arguments);
  pid_t pid = -1;
  RunResult result;
  const int spawned =
      posix_spawn(&pid, SASLCTL_PROGRAM, &actions, &attributes, Argv(all).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(in.reader());
  close(out.writer());
  close(err.writer());
  // Small enough for the pipe's buffer; a program that does not read it leaves it there.
  // A program that refuses its command line ends without reading.
  signal(SIGPIPE, SIG_IGN);
  if (write(in.writer(), input.data(), input.size()) < 0 && errno != EPIPE) {
    result.err = "(input not written)";
  }
  close(in.writer());
  if (spawned == 0) {
    Drain(out.reader(), err.reader(), result);
    int status = 0;
    waitpid(pid, &status, 0);
    result.exit_status = ExitStatusOfWait(status);
  }
  close(out.reader());
  close(err.reader());
  return result;
}

TerminalRun::TerminalRun(const std::vector<std::string>& arguments) {
  std::vector<std::string> all = WithProgram(arguments);
  const std::vector<char*> argv = Argv(all);
  int other_end = -1;
  if (openpty(&terminal_, &other_end, nullptr, nullptr, nullptr) != 0) return;
  fcntl(terminal_, F_SETFD, FD_CLOEXEC);
  kept_open_ = fcntl(other_end, F_DUPFD_CLOEXEC, 0);
  pid_ = fork();
  if (pid_ == 0) {
    setsid();
    ioctl(other_end, TIOCSCTTY, 0);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(other_end, fd);
    if (other_end > STDERR_FILENO) close(other_end);
    execv(SASLCTL_PROGRAM, argv.data());
    _exit(127);
  }
  close(other_end);
}

TerminalRun::~TerminalRun() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (kept_open_ >= 0) close(kept_open_);
  if (terminal_ >= 0) close(terminal_);
}

bool TerminalRun::ReadMore() {
  pollfd ready = {terminal_, POLLIN, 0};
  if (poll(&ready, 1, kPatienceMilliseconds) <= 0) return false;
  std::array<char, 4096> buffer;
  const ssize_t got = read(terminal_, buffer.data(), buffer.size());
  if (got <= 0) return false;
  screen_.append(buffer.data(), static_cast<size_t>(got));
  return true;
}

bool TerminalRun::Await(std::string_view text) {
  while (screen_.find(text) == std::string::npos) {
    if (!ReadMore()) return false;
  }
  return true;
}

void TerminalRun::Type(std::string_view keys) {
  if (write(terminal_, keys.data(), keys.size()) < 0) screen_ += "(keys not taken)";
}

bool TerminalRun::EchoIsOn() const {
  termios settings;
  return tcgetattr(kept_open_, &settings) == 0 && (settings.c_lflag & ECHO) != 0;
}

void TerminalRun::Signal(int number) const { kill(pid_, number); }

int TerminalRun::Finish() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  // What it wrote before its end is there by now.
  pollfd ready = {terminal_, POLLIN, 0};
  while (poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0 && ReadMore()) {
  }
  return ExitStatusOfWait(status);
}

}  // namespace sasld::saslctl
