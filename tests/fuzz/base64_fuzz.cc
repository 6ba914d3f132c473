// Base64: what is accepted re-encodes to itself, and what is encoded is accepted.
#include "server/sasl/base64.h"

#include "tests/fuzz/support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using sasld::fuzz::Require;
  const std::string_view input = sasld::fuzz::Text(data, size);

  const std::optional<std::string> decoded = sasld::DecodeBase64(input);
  if (decoded.has_value()) {
    Require(sasld::EncodeBase64(*decoded) == input, "what is accepted re-encodes to itself");
  }
  const std::optional<sasld::Secret> secret = sasld::DecodeBase64Secret(input);
  Require(secret.has_value() == decoded.has_value(), "both decoders accept the same");
  if (secret.has_value()) Require(secret->Reveal() == *decoded, "both decoders yield the same");

  const std::optional<std::string> round_trip = sasld::DecodeBase64(sasld::EncodeBase64(input));
  Require(round_trip.has_value() && *round_trip == input, "what is encoded decodes to itself");
  return 0;
}
