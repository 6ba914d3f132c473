// Base64 (RFC 4648 section 4) as far as the adapter needs it: it writes it, and passes mail
// clients' on as text. sasld decodes those.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sasld {

// Appends the base64 of `bytes`, padded.
void AppendBase64(std::string_view bytes, std::string& out);

// Whether `text` could be base64: whole groups of four, of the alphabet and '=' only. Where '='
// stands and what the last bits are is left to sasld.
bool LooksLikeBase64(std::string_view text);

// Nothing: not the one base64 of any bytes.
std::optional<std::string> Base64Decoded(std::string_view text);

}  // namespace sasld
