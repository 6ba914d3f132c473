// ANONYMOUS (RFC 4505): lets anybody in, as nobody in particular.
//
// Deviations: the trace may be any text of up to 255 characters; whether it is an address or a
// token, as section 2 wants, is not looked at, since nothing hangs on it. It is prepared by
// SASLprep instead of the RFC's own trace profile, and refused where that prohibits it.
#include <algorithm>
#include <utility>

#include "server/sasl/one_message.h"
#include "server/sasl/registry.h"
#include "server/sasl/saslprep.h"

namespace sasld {
namespace {

// RFC 4505 s.2: token = 1*255TCHAR.
constexpr size_t kMaxTraceCharacters = 255;

size_t Utf8Characters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

Outcome TakeMessage(const ConnectionFacts&, std::string_view message) {
  // A character has four bytes at most.
  if (message.size() > 4 * kMaxTraceCharacters || Utf8Characters(message) > kMaxTraceCharacters) {
    return Failure{Reason::kMalformed, "ANONYMOUS trace too long"};
  }
  // A control character in it could spoil a log.
  absl::StatusOr<std::string> trace = PrepareStored(message);
  if (!trace.ok()) return Failure{Reason::kMalformed, "ANONYMOUS trace not acceptable"};
  return AnonymousSuccess{*std::move(trace)};
}

}  // namespace

std::unique_ptr<const Mechanism> MakeAnonymous() {
  return std::make_unique<OneMessage>(TakeMessage);
}

}  // namespace sasld
