#include "client/adapter/base64.h"

#include <algorithm>
#include <array>

#include "client/base64.h"

namespace sasld {
namespace {

constexpr std::array<bool, 256> kInText = [] {
  std::array<bool, 256> in_text{};
  for (char c :
       std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")) {
    in_text[static_cast<unsigned char>(c)] = true;
  }
  return in_text;
}();

}  // namespace

void AppendBase64(std::string_view bytes, std::string& out) {
  size_t begin = out.size();
  out.resize(begin + Base64Size(bytes.size()));
  EncodeBase64(bytes, out.data() + begin);
}

bool LooksLikeBase64(std::string_view text) {
  return text.size() % 4 == 0 && std::all_of(text.begin(), text.end(), [](char c) {
           return kInText[static_cast<unsigned char>(c)];
         });
}

std::optional<std::string> Base64Decoded(std::string_view text) {
  std::string bytes(text.size(), '\0');
  std::optional<size_t> size = DecodeBase64(text, bytes.data(), bytes.size());
  if (!size) return std::nullopt;
  bytes.resize(*size);
  return bytes;
}

}  // namespace sasld
