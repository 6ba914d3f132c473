// Base64 (RFC 4648 section 4) into and out of buffers that are there already: no allocation, no
// other library, as the plug-in in client/libsasl2 needs it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace sasld {

// The size of the base64 of so many bytes.
constexpr size_t Base64Size(size_t bytes) { return (bytes + 2) / 3 * 4; }

// Writes Base64Size(bytes.size()) characters.
void EncodeBase64(std::string_view bytes, char* out);

// How many bytes `out` got of `text`, which are at most `capacity`. Nothing: `text` is not the one
// base64 of any bytes, or of too many. `out` may begin where `text` does.
std::optional<size_t> DecodeBase64(std::string_view text, char* out, size_t capacity);

}  // namespace sasld
