// The person at the controlling terminal: asks on /dev/tty, so that standard input and output stay
// free for data.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "client/saslctl/password.h"

namespace sasld::saslctl {

enum class Echo { kOn, kOff };

// Not thread-safe; use before any thread is started, because signals are awaited in this one.
class Terminal {
 public:
  // NotFound: this process has no controlling terminal.
  static absl::StatusOr<Terminal> Open();
  Terminal(Terminal&& other) noexcept;
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  // Writes `prompt` and reads one line, without its newline. A signal that arrives meanwhile
  // (interrupt, hang-up, stop …) takes its course only after the terminal is as it was; after a
  // stop the question is put again. Cancelled: end of input, or an ignored signal. Internal:
  // terminal i/o fails.
  absl::StatusOr<Password> ReadLine(std::string_view prompt, Echo echo);

 private:
  explicit Terminal(int fd) : fd_(fd) {}
  int fd_;
};

// Asks `question` and waits for "y", "Y" or "yes". Cancelled, with the text `otherwise`: another
// answer. InvalidArgument: no terminal to ask on. Else as ReadLine.
absl::Status Confirm(const std::string& question, std::string_view otherwise);

}  // namespace sasld::saslctl
