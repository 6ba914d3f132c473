// A connection to sasld-adapter. Each call returns by its deadline; no signal, no thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sasld::libsasl2 {

// Milliseconds of the monotonic clock.
using Deadline = int64_t;
Deadline Within(int64_t milliseconds);

class AdapterSocket {
 public:
  AdapterSocket() = default;
  ~AdapterSocket() { Close(); }
  AdapterSocket(const AdapterSocket&) = delete;
  AdapterSocket& operator=(const AdapterSocket&) = delete;

  // Nothing longer fits into a socket's address.
  static constexpr size_t kMaxPathBytes = 107;

  // False, with why(): there is no way to the adapter. The path may be relative to where the
  // process stands, which is what a chroot leaves as it was.
  bool Connect(std::string_view path, Deadline deadline);
  bool Send(std::string_view bytes, Deadline deadline);
  // The next line without its LF, valid until the next call. Nothing, with why(): hung up, silent,
  // or a line of more than any server of this protocol writes.
  std::optional<std::string_view> ReadLine(Deadline deadline);
  void Close();

  // Of the last call that failed; for people.
  const char* why() const { return why_; }

 private:
  bool WaitFor(short events, Deadline deadline);
  bool Fail(const char* why);
  bool FailWithErrno();

  int descriptor_ = -1;
  const char* why_ = "";
  size_t begin_ = 0;  // of what was read and not taken
  size_t end_ = 0;
  std::array<char, 8192> read_;  // the adapter's lines are shorter
};

}  // namespace sasld::libsasl2
