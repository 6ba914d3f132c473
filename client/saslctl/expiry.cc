#include "client/saslctl/expiry.h"

#include <charconv>
#include <optional>

#include "absl/status/status.h"

namespace sasld::saslctl {
namespace {

// A century: more is "never".
constexpr int kMostDays = 36525;

std::optional<absl::Duration> ParseSpan(const std::string& text) {
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end + 1 != text.data() + text.size() || count <= 0) {
    return std::nullopt;
  }
  absl::Duration span;
  switch (*end) {
    case 'm':
      span = absl::Minutes(count);
      break;
    case 'h':
      span = absl::Hours(count);
      break;
    case 'd':
      span = count * absl::Hours(24);
      break;
    case 'w':
      span = count * absl::Hours(7 * 24);
      break;
    default:
      return std::nullopt;
  }
  if (span > kMostDays * absl::Hours(24)) return std::nullopt;
  return span;
}

}  // namespace

absl::StatusOr<absl::Time> ParseExpiry(const std::string& text, absl::Time now) {
  if (text == "never") return absl::InfiniteFuture();
  if (const std::optional<absl::Duration> span = ParseSpan(text)) return now + *span;
  absl::Time time;
  std::string ignored;
  if (!absl::ParseTime("%Y-%m-%d", text, absl::UTCTimeZone(), &time, &ignored) &&
      !absl::ParseTime(absl::RFC3339_sec, text, &time, &ignored)) {
    return absl::InvalidArgumentError(
        "--expires: \"" + text +
        "\" is not a span such as 90d, a day such as 2027-01-31, a time such as "
        "2027-01-31T12:00:00Z, or never");
  }
  if (time <= now) return absl::InvalidArgumentError("--expires: " + text + " is over already");
  return time;
}

}  // namespace sasld::saslctl
