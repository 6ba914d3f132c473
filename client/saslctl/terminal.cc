#include "client/saslctl/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

constexpr std::array kAwaitedSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
// A terminal in line mode gives at most 4095 bytes (N_TTY).
constexpr size_t kLineBytesMost = 4096;

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    text.remove_prefix(static_cast<size_t>(wrote));
  }
}

// Keeps the awaited signals for itself, by signalfd instead of handlers: nothing global.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigemptyset(&awaited_);
    for (const int number : kAwaitedSignals) sigaddset(&awaited_, number);
    pthread_sigmask(SIG_BLOCK, &awaited_, &before_);
    fd_ = signalfd(-1, &awaited_, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  ~SignalsHeld() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }
  // The signal that arrived, 0 for none.
  int Take() const {
    signalfd_siginfo info;
    return read(fd_, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
  }

 private:
  sigset_t awaited_;
  sigset_t before_;
  int fd_ = -1;
};

// Switches the terminal's echo off for a while. The newline that ends the line is not shown either,
// so it is written at the end.
class EchoOff {
 public:
  EchoOff(int fd, Echo echo) : fd_(fd) {
    active_ = echo == Echo::kOff && tcgetattr(fd, &before_) == 0;
    if (!active_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    tcsetattr(fd, TCSAFLUSH, &silent);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;
  ~EchoOff() {
    if (!active_) return;
    tcsetattr(fd_, TCSAFLUSH, &before_);
    WriteAll(fd_, "\n");
  }

 private:
  int fd_;
  bool active_ = false;
  termios before_;
};

struct SignalArrived {
  int number;
};
using Line = std::variant<Password, SignalArrived, absl::Status>;

Line ReadLineOrSignal(int fd, const SignalsHeld& signals) {
  std::array<char, kLineBytesMost> buffer;
  while (true) {
    std::array<pollfd, 2> ready = {pollfd{fd, POLLIN, 0}, pollfd{signals.fd(), POLLIN, 0}};
    if (poll(ready.data(), ready.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return absl::InternalError("cannot wait for the terminal");
    }
    if (ready[1].revents != 0) {
      if (const int number = signals.Take(); number != 0) return SignalArrived{number};
    }
    if (ready[0].revents == 0) continue;
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return absl::InternalError("cannot read from the terminal");
    std::string_view line(buffer.data(), static_cast<size_t>(got));
    if (line.empty()) return absl::CancelledError("end of input at the prompt");
    if (line.ends_with('\n')) line.remove_suffix(1);
    Password answer(line);
    explicit_bzero(buffer.data(), buffer.size());
    return answer;
  }
}

// One question under held signals; both are undone when it returns.
Line AskOnce(int fd, std::string_view prompt, Echo echo) {
  const SignalsHeld signals;
  const EchoOff silence(fd, echo);
  WriteAll(fd, prompt);
  return ReadLineOrSignal(fd, signals);
}

}  // namespace

absl::StatusOr<Terminal> Terminal::Open() {
  const int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return absl::NotFoundError("no terminal");
  return Terminal(fd);
}

Terminal::Terminal(Terminal&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Terminal::~Terminal() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<Password> Terminal::ReadLine(std::string_view prompt, Echo echo) {
  while (true) {
    Line line = AskOnce(fd_, prompt, echo);
    if (auto* answer = std::get_if<Password>(&line)) return std::move(*answer);
    if (auto* status = std::get_if<absl::Status>(&line)) return std::move(*status);
    const int number = std::get<SignalArrived>(line).number;
    // Ends this process, or stops it until SIGCONT.
    if (raise(number) != 0 || number != SIGTSTP)
      return absl::CancelledError("interrupted at the prompt");
  }
}

absl::Status Confirm(const std::string& question, std::string_view otherwise) {
  absl::StatusOr<Terminal> terminal = Terminal::Open();
  if (!terminal.ok()) {
    return absl::InvalidArgumentError("no terminal to ask for confirmation on: use --yes");
  }
  ASSIGN_OR_RETURN(const Password answer, terminal->ReadLine(question + " [y/N] ", Echo::kOn));
  const std::string_view word = answer.Reveal();
  if (word == "y" || word == "Y" || word == "yes") return absl::OkStatus();
  return absl::CancelledError(std::string(otherwise));
}

}  // namespace sasld::saslctl
