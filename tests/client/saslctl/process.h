// Runs the real saslctl: with pipes, or on a terminal of its own.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace sasld::saslctl {

struct RunResult {
  int exit_status = -1;  // 128 + signal if one ended it
  std::string out;
  std::string err;
};

// Without a controlling terminal (a session of its own). `input` is all of its standard input.
RunResult RunSaslctl(const std::vector<std::string>& arguments, std::string_view input = "");

// On a pseudo-terminal that is its controlling terminal, and its standard input, output and error.
class TerminalRun {
 public:
  explicit TerminalRun(const std::vector<std::string>& arguments);
  ~TerminalRun();
  TerminalRun(const TerminalRun&) = delete;
  TerminalRun& operator=(const TerminalRun&) = delete;

  // Reads until the screen holds `text`, for 20 s at most. Returns whether it came.
  bool Await(std::string_view text);
  void Type(std::string_view keys);
  bool EchoIsOn() const;
  void Signal(int number) const;
  // Reads to the end and returns the exit status, as above.
  int Finish();
  const std::string& screen() const { return screen_; }

 private:
  bool ReadMore();
  pid_t pid_ = -1;
  int terminal_ = -1;
  int kept_open_ = -1;  // the other end, so that its settings can be looked at
  std::string screen_;
};

}  // namespace sasld::saslctl
