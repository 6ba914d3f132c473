// Names and passwords: what preparation yields stays as it is, and has none of what it must not
// have.
#include "server/sasl/username.h"

#include <algorithm>
#include <string>

#include "server/sasl/saslprep.h"
#include "tests/fuzz/support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using sasld::fuzz::Require;
  const std::string_view input = sasld::fuzz::Text(data, size);

  const absl::StatusOr<sasld::Username> name = sasld::Username::Prepare(input);
  if (name.ok()) {
    const std::string& text = name->str();
    Require(!text.empty() && text.size() <= sasld::Username::kMaxBytes, "a name has its limits");
    Require(std::none_of(text.begin(), text.end(),
                         [](char c) {
                           const auto byte = static_cast<unsigned char>(c);
                           return byte < 0x20 || byte == 0x7F || (byte >= 'A' && byte <= 'Z');
                         }),
            "a name has no control character and no capital");
    const absl::StatusOr<sasld::Username> again = sasld::Username::Prepare(text);
    Require(again.ok() && again->str() == text, "a prepared name stays as it is");
  }
  const absl::StatusOr<sasld::Secret> password = sasld::PreparePassword(input);
  if (password.ok()) {
    Require(!password->empty(), "a prepared password is not empty");
    Require(password->Reveal().find('\0') == std::string_view::npos, "a password has no NUL");
  }
  return 0;
}
