// An MTA's side of a connection to the adapter.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sasld::testing {

// Blocking, with a limit of ten seconds for each read.
class Mta {
 public:
  explicit Mta(const std::string& path);
  ~Mta();
  Mta(const Mta&) = delete;
  Mta& operator=(const Mta&) = delete;

  void Write(std::string_view bytes);
  // Whether the adapter has ended the connection, so that nothing can be written.
  bool CannotWrite();
  // As much as goes in at once; returns how much.
  size_t WriteSome(std::string_view bytes);
  // The next line without LF; "<closed>" at the end, "<nothing>" after ten seconds.
  std::string Line();
  // All lines of the greeting, joined by '|', without those that differ each time.
  std::string Greeting();
  void Handshake(int minor);

 private:
  int socket_;
  std::string buffer_;
  size_t at_ = 0;
};

}  // namespace sasld::testing
