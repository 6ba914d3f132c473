// What the plug-in of libsasl2 reads: lines of whatever is behind the adapter's socket.
#include "client/base64.h"
#include "client/libsasl2/mechanism.h"
#include "client/libsasl2/reply.h"
#include "client/libsasl2/request.h"
#include "tests/fuzz/support.h"

using sasld::Base64Size;
using sasld::DecodeBase64;
using sasld::EncodeBase64;
using sasld::fuzz::Require;
using namespace sasld::libsasl2;  // NOLINT: it is what is fuzzed

namespace {

void Base64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  std::optional<size_t> size = DecodeBase64(text, bytes.data(), bytes.size());
  if (!size) return;
  std::string again(Base64Size(*size), '\0');
  EncodeBase64({bytes.data(), *size}, again.data());
  Require(again == text, "what is accepted re-encodes to itself");
}

void Line(std::string_view line) {
  IsVersion1(line);
  if (std::optional<Mechanism> mechanism = ParseMechanismLine(line)) {
    Require(mechanism->name.size() <= 20, "a mechanism's name fits where the plug-in keeps it");
    Require(MechanismOfName(mechanism->name).has_value(), "it is a name by itself too");
  }
  Reply reply = ParseReply(line);
  if (auto* challenge = std::get_if<Challenge>(&reply)) Base64(challenge->base64);
  if (auto* success = std::get_if<Success>(&reply)) {
    Require(!success->authzid.empty() && !success->authcid.empty(), "success is somebody's");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = sasld::fuzz::Text(data, size);
  Line(input);
  Base64(input);
  Request request;
  AppendAuth({.mechanism = "PLAIN", .service = input, .local_address = input}, input, request);
  if (request.fits()) {
    Require(request.text().find('\n') == request.text().size() - 1, "one line stays one line");
  }
  return 0;
}
