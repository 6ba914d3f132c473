#include "client/saslctl/progress.h"

#include <unistd.h>

#include <algorithm>

#include "client/monotonic_time.h"

namespace sasld::saslctl {
namespace {

constexpr uint64_t kBarWidth = 30;
constexpr absl::Duration kBetween = absl::Milliseconds(100);
constexpr std::string_view kEraseLine = "\r\x1b[K";

// What cannot be drawn is not worth an error.
void Draw(int fd, std::string_view text) {
  if (write(fd, text.data(), text.size()) < 0) return;
}

}  // namespace

Progress::Progress(int fd, bool wanted) : fd_(fd), shown_(wanted && isatty(fd) != 0) {}

void Progress::Show(std::string_view what, uint64_t done, uint64_t whole, uint64_t users) {
  if (!shown_) return;
  const absl::Time now = MonotonicNow();
  if (now < next_) return;
  next_ = now + kBetween;
  std::string line = std::string(kEraseLine) + std::string(what);
  if (whole > 0) {
    const uint64_t filled = std::min(done, whole) * kBarWidth / whole;
    line += " [" + std::string(filled, '#') + std::string(kBarWidth - filled, ' ') + "] " +
            std::to_string(std::min(done, whole) * 100 / whole) + " %";
  }
  line += "  " + std::to_string(users) + " users";
  Draw(fd_, line);
  on_screen_ = true;
}

void Progress::Clear() {
  if (on_screen_) Draw(fd_, kEraseLine);
  on_screen_ = false;
}

}  // namespace sasld::saslctl
