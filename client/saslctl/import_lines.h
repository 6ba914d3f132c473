// The lines of a source, one at a time, however large the source is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

namespace sasld::saslctl {

// Puts at most so many bytes there. Returns how many; 0 is the end.
using ReadBytes = absl::AnyInvocable<absl::StatusOr<size_t>(char*, size_t)>;

// The longest line that is read. A user with every app password there may be takes a tenth of it.
inline constexpr size_t kLineBytesMost = size_t{1} << 20;

struct Line {
  size_t number = 0;  // from 1
  // Without its end, which is LF or CRLF. Valid until the next is read.
  std::string_view text;
  // It has more than kLineBytesMost bytes; `text` is empty then.
  bool too_long = false;
};

// Leaves out a byte order mark. Wipes what it read. Not thread-safe.
class LineReader {
 public:
  explicit LineReader(ReadBytes read);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // nullopt: the end. DataLoss: the text is UTF-16. Else what reading gave.
  absl::StatusOr<std::optional<Line>> Next();

 private:
  absl::StatusOr<bool> ReadMore();
  absl::Status LookAtBeginning();

  ReadBytes read_;
  std::string buffer_;
  size_t begin_ = 0;  // of what is not given yet
  size_t end_ = 0;
  size_t number_ = 0;
};

}  // namespace sasld::saslctl
