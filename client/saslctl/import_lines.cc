#include "client/saslctl/import_lines.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "client/saslctl/password.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

constexpr size_t kChunkBytes = size_t{64} << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

LineReader::LineReader(ReadBytes read) : read_(std::move(read)), buffer_(kChunkBytes, '\0') {}

LineReader::~LineReader() { Wipe(buffer_); }

// Returns whether there was more.
absl::StatusOr<bool> LineReader::ReadMore() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    // By hand, so that no copy of what was read stays behind.
    std::string larger(std::min(2 * buffer_.size(), kLineBytesMost + kChunkBytes), '\0');
    buffer_.copy(larger.data(), end_);
    buffer_.swap(larger);
    Wipe(larger);
  }
  ASSIGN_OR_RETURN(const size_t got,
                   read_(buffer_.data() + end_, std::min(kChunkBytes, buffer_.size() - end_)));
  end_ += got;
  return got > 0;
}

absl::Status LineReader::LookAtBeginning() {
  while (end_ - begin_ < kByteOrderMark.size()) {
    ASSIGN_OR_RETURN(const bool more, ReadMore());
    if (!more) break;
  }
  const std::string_view text(buffer_.data() + begin_, end_ - begin_);
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return absl::DataLossError(" is UTF-16; make it UTF-8: iconv -f UTF-16 -t UTF-8");
  }
  if (text.starts_with(kByteOrderMark)) begin_ += kByteOrderMark.size();
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Line>> LineReader::Next() {
  if (number_ == 0) RETURN_IF_ERROR(LookAtBeginning());
  Line line;
  line.number = ++number_;
  size_t searched = 0;  // from begin_
  while (true) {
    const std::string_view text(buffer_.data() + begin_, end_ - begin_);
    const size_t newline = text.find('\n', searched);
    if (newline != std::string_view::npos) {
      line.text = text.substr(0, newline);
      begin_ += newline + 1;
      break;
    }
    searched = text.size();
    if (searched > kLineBytesMost) {
      line.too_long = true;
      begin_ = end_;
      searched = 0;
    }
    ASSIGN_OR_RETURN(const bool more, ReadMore());
    if (more) continue;
    if (begin_ == end_ && !line.too_long) return std::nullopt;
    line.text = std::string_view(buffer_.data() + begin_, end_ - begin_);
    begin_ = end_;
    break;
  }
  if (line.text.ends_with('\r')) line.text.remove_suffix(1);
  if (line.text.size() > kLineBytesMost) line.too_long = true;
  if (line.too_long) line.text = {};
  return line;
}

}  // namespace sasld::saslctl
