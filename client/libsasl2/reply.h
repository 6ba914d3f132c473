// What sasld-adapter answers to one exchange, a line at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

namespace sasld::libsasl2 {

// The adapter's names have 512 bytes at most, sasld's 255.
inline constexpr size_t kMaxNameBytes = 512;

// Views are into the line.
struct Challenge {
  std::string_view base64;
  std::string_view binding_type;  // not empty: the answer is to bring such channel binding data
};
struct Success {
  std::string_view authzid;
  std::string_view authcid;
  std::optional<std::string_view> base64;  // additional data
};
struct Refusal {
  std::string_view reason;  // may be empty; for people
};
struct TryLater {};
struct NotAReply {};  // of the greeting, or about another id
struct Violation {};  // no server of this protocol may say this

using Reply = std::variant<Challenge, Success, Refusal, TryLater, NotAReply, Violation>;

// The line without its LF. The one exchange's id is 1.
Reply ParseReply(std::string_view line);

// Whether it is the first line of a server that speaks our major version.
bool IsVersion1(std::string_view line);

// Whether libsasl2 may have it as a name: not empty, not too long, and without control characters,
// escaped ones included, which its callers take for an end or copy to their logs.
bool IsName(std::string_view field);

}  // namespace sasld::libsasl2
