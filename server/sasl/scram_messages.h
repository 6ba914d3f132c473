// The four messages of SCRAM (RFC 5802 section 7): parse what the client sends, print what the
// server sends, nothing else. What is authenticated later is kept as slices of the received bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace sasld {

// RFC 5802 section 6: how the client sees channel binding.
enum class ChannelBindingFlag {
  kNotSupported,        // "n": the client does not
  kServerDoesNotOffer,  // "y": the client does, but thinks that the server does not
  kUsed,                // "p=…"
};

// Slices live as long as the message.
struct ClientFirst {
  std::string_view gs2_header;  // with its two commas
  ChannelBindingFlag binding_flag = ChannelBindingFlag::kNotSupported;
  std::string_view binding_type;  // cb-name behind "p="; empty with the other flags
  std::string_view bare;          // client-first-message-bare
  std::string authzid;            // decoded; empty if there is none
  std::string username;           // decoded, not prepared
  std::string_view nonce;         // c-nonce
};

struct ClientFinal {
  std::string_view without_proof;  // client-final-message-without-proof
  std::string channel_binding;     // cbind-input, decoded
  std::string_view nonce;
  std::string proof;  // decoded
};

// A static text that names the field, never its value.
struct ScramSyntaxError {
  std::string_view detail;
};

std::variant<ClientFirst, ScramSyntaxError> ParseClientFirst(std::string_view message);
std::variant<ClientFinal, ScramSyntaxError> ParseClientFinal(std::string_view message);

// "r=…,s=…,i=…"
std::string PrintServerFirst(std::string_view nonce, std::string_view salt, uint32_t iterations);
// "v=…"
std::string PrintServerFinal(std::string_view server_signature);

}  // namespace sasld
