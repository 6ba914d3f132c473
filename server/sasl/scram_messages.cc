#include "server/sasl/scram_messages.h"

#include <algorithm>
#include <optional>

#include "server/sasl/base64.h"

namespace sasld {
namespace {

// Clients send 16 to 64; what is longer only grows the state.
constexpr size_t kMaxNonceBytes = 512;

// Cuts the text before the next comma off the front of `rest`, and the comma with it.
std::string_view TakeAttribute(std::string_view& rest) {
  const size_t comma = rest.find(',');
  const std::string_view attribute = rest.substr(0, comma);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  return attribute;
}

// The value of "<letter>=value"; nothing for another attribute.
std::optional<std::string_view> ValueOf(char letter, std::string_view attribute) {
  if (attribute.size() < 2 || attribute[0] != letter || attribute[1] != '=') return std::nullopt;
  return attribute.substr(2);
}

// saslname: "=2C" is a comma, "=3D" an equals sign. RFC 5802 s.5.1: on '=' followed by anything
// else the server MUST fail the authentication.
std::optional<std::string> DecodeSaslname(std::string_view text) {
  std::string name;
  name.reserve(text.size());
  while (!text.empty()) {
    if (text.front() == '\0') return std::nullopt;
    if (text.front() != '=') {
      name.push_back(text.front());
      text.remove_prefix(1);
      continue;
    }
    if (text.starts_with("=2C")) {
      name.push_back(',');
    } else if (text.starts_with("=3D")) {
      name.push_back('=');
    } else {
      return std::nullopt;
    }
    text.remove_prefix(3);
  }
  return name;
}

// cb-name = 1*(ALPHA / DIGIT / "." / "-"). The longest that is registered has 20.
bool IsBindingType(std::string_view text) {
  constexpr size_t kMaxTypeBytes = 64;
  return !text.empty() && text.size() <= kMaxTypeBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-';
         });
}

// printable: %x21-2B / %x2D-7E
bool IsNonce(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNonceBytes &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

// Optional extensions are ignored (RFC 5802 s.5.1), but must look like attributes, and have a
// letter that is not taken. That goes for "m" too, whose presence MUST cause failure wherever it
// stands.
bool AreExtensions(std::string_view rest) {
  constexpr std::string_view kTaken = "aceimnprsv";
  while (!rest.empty()) {
    const std::string_view attribute = TakeAttribute(rest);
    const bool letter = !attribute.empty() && ((attribute[0] >= 'a' && attribute[0] <= 'z') ||
                                               (attribute[0] >= 'A' && attribute[0] <= 'Z'));
    if (!letter || kTaken.find(attribute[0]) != std::string_view::npos || attribute.size() < 3 ||
        attribute[1] != '=' || attribute.find('\0') != std::string_view::npos) {
      return false;
    }
  }
  return true;
}

std::optional<ScramSyntaxError> ParseGs2Header(std::string_view message, ClientFirst& parsed) {
  std::string_view rest = message;
  const std::string_view flag = TakeAttribute(rest);
  if (flag == "n") {
    parsed.binding_flag = ChannelBindingFlag::kNotSupported;
  } else if (flag == "y") {
    parsed.binding_flag = ChannelBindingFlag::kServerDoesNotOffer;
  } else if (const std::optional<std::string_view> type = ValueOf('p', flag)) {
    if (!IsBindingType(*type))
      return ScramSyntaxError{"GS2 header with a bad channel binding type"};
    parsed.binding_flag = ChannelBindingFlag::kUsed;
    parsed.binding_type = *type;
  } else {
    return ScramSyntaxError{"GS2 header without channel binding flag"};
  }
  if (rest.find(',') == std::string_view::npos) return ScramSyntaxError{"GS2 header cut short"};
  const std::string_view authzid = TakeAttribute(rest);
  if (!authzid.empty()) {
    const std::optional<std::string_view> value = ValueOf('a', authzid);
    if (!value) return ScramSyntaxError{"GS2 header with a bad authzid"};
    std::optional<std::string> decoded = DecodeSaslname(*value);
    if (!decoded) return ScramSyntaxError{"GS2 header with a badly encoded authzid"};
    parsed.authzid = *std::move(decoded);
  }
  parsed.gs2_header = message.substr(0, message.size() - rest.size());
  parsed.bare = rest;
  return std::nullopt;
}

}  // namespace

std::variant<ClientFirst, ScramSyntaxError> ParseClientFirst(std::string_view message) {
  ClientFirst parsed;
  if (const auto error = ParseGs2Header(message, parsed)) return *error;
  std::string_view rest = parsed.bare;

  const std::string_view first = TakeAttribute(rest);
  // RFC 5802 s.5.1: "m" is reserved for mandatory extensions; its presence MUST cause failure.
  if (ValueOf('m', first)) return ScramSyntaxError{"client-first with a mandatory extension"};
  const std::optional<std::string_view> username = ValueOf('n', first);
  if (!username) return ScramSyntaxError{"client-first without user name"};
  std::optional<std::string> decoded = DecodeSaslname(*username);
  if (!decoded) return ScramSyntaxError{"client-first with a badly encoded user name"};
  parsed.username = *std::move(decoded);

  const std::optional<std::string_view> nonce = ValueOf('r', TakeAttribute(rest));
  if (!nonce || !IsNonce(*nonce)) return ScramSyntaxError{"client-first without a valid nonce"};
  parsed.nonce = *nonce;
  if (parsed.bare.ends_with(',') || !AreExtensions(rest)) {
    return ScramSyntaxError{"client-first with junk at its end"};
  }
  return parsed;
}

std::variant<ClientFinal, ScramSyntaxError> ParseClientFinal(std::string_view message) {
  ClientFinal parsed;
  // The proof is the last attribute, and base64 holds no comma.
  const size_t comma = message.rfind(',');
  if (comma == std::string_view::npos) return ScramSyntaxError{"client-final without proof"};
  const std::optional<std::string_view> proof = ValueOf('p', message.substr(comma + 1));
  if (!proof) return ScramSyntaxError{"client-final without proof"};
  std::optional<std::string> decoded_proof = DecodeBase64(*proof);
  if (!decoded_proof) return ScramSyntaxError{"client-final with a proof that is not base64"};
  parsed.proof = *std::move(decoded_proof);
  parsed.without_proof = message.substr(0, comma);

  std::string_view rest = parsed.without_proof;
  const std::optional<std::string_view> binding = ValueOf('c', TakeAttribute(rest));
  if (!binding) return ScramSyntaxError{"client-final without channel binding"};
  std::optional<std::string> decoded_binding = DecodeBase64(*binding);
  if (!decoded_binding) return ScramSyntaxError{"client-final with a c= that is not base64"};
  parsed.channel_binding = *std::move(decoded_binding);

  const std::optional<std::string_view> nonce = ValueOf('r', TakeAttribute(rest));
  if (!nonce || nonce->empty()) return ScramSyntaxError{"client-final without nonce"};
  parsed.nonce = *nonce;
  if (parsed.without_proof.ends_with(',') || !AreExtensions(rest)) {
    return ScramSyntaxError{"client-final with junk before the proof"};
  }
  return parsed;
}

std::string PrintServerFirst(std::string_view nonce, std::string_view salt, uint32_t iterations) {
  std::string message("r=");
  message.append(nonce).append(",s=").append(EncodeBase64(salt)).append(",i=");
  return message.append(std::to_string(iterations));
}

std::string PrintServerFinal(std::string_view server_signature) {
  return "v=" + EncodeBase64(server_signature);
}

}  // namespace sasld
