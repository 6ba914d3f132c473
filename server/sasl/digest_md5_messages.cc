#include "server/sasl/digest_md5_messages.h"

#include <algorithm>
#include <map>
#include <utility>

namespace sasld {
namespace {

// RFC 2616 s.2.2, LWS without its line ends: a SASL message has none.
bool IsSpace(char c) { return c == ' ' || c == '\t'; }

// RFC 2616 s.2.2: any CHAR except CTLs or separators.
bool IsTokenCharacter(char c) {
  return c > 0x20 && c < 0x7f &&
         std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
}

void SkipSpace(std::string_view& rest) {
  while (!rest.empty() && IsSpace(rest.front())) rest.remove_prefix(1);
}

std::string_view TakeToken(std::string_view& rest) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), IsTokenCharacter);
  const std::string_view token = rest.substr(0, static_cast<size_t>(end - rest.begin()));
  rest.remove_prefix(token.size());
  return token;
}

// quoted-string, without its quotes; nothing if it does not end.
std::optional<std::string> TakeQuoted(std::string_view& rest) {
  std::string text;
  for (size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return text;
    }
    if (rest[i] == '\\' && ++i == rest.size()) break;
    if (rest[i] == '\0') break;
    text.push_back(rest[i]);
  }
  return std::nullopt;
}

void ToLowerCase(std::string& text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
}

struct Directive {
  std::string name;  // lower case
  std::string value;
};

std::optional<Directive> TakeDirective(std::string_view& rest) {
  Directive directive{std::string(TakeToken(rest)), {}};
  ToLowerCase(directive.name);
  SkipSpace(rest);
  if (directive.name.empty() || !rest.starts_with('=')) return std::nullopt;
  rest.remove_prefix(1);
  SkipSpace(rest);
  if (rest.starts_with('"')) {
    std::optional<std::string> quoted = TakeQuoted(rest);
    if (!quoted) return std::nullopt;
    directive.value = *std::move(quoted);
  } else {
    directive.value = TakeToken(rest);
    if (directive.value.empty()) return std::nullopt;
  }
  SkipSpace(rest);
  if (!rest.empty() && rest.front() != ',') return std::nullopt;
  return directive;
}

// 1#( directive ): separated by commas, of which there may be too many.
std::optional<std::map<std::string, std::string>> ParseDirectives(std::string_view message) {
  std::map<std::string, std::string> directives;
  std::string_view rest = message;
  while (true) {
    while (!rest.empty() && (rest.front() == ',' || IsSpace(rest.front()))) rest.remove_prefix(1);
    if (rest.empty()) return directives;
    std::optional<Directive> directive = TakeDirective(rest);
    if (!directive) return std::nullopt;
    // RFC 2831 s.2.1.2: each but the extensions at most once; we take no extension twice either.
    if (!directives.emplace(std::move(directive->name), std::move(directive->value)).second) {
      return std::nullopt;
    }
  }
}

bool IsLowerHex(std::string_view text, size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

std::variant<DigestResponse, DigestSyntaxError> ParseDigestResponse(std::string_view message) {
  if (message.size() > kMaxDigestResponseBytes) {
    return DigestSyntaxError{"digest-response too long"};
  }
  auto directives = ParseDirectives(message);
  if (!directives) return DigestSyntaxError{"digest-response is no list of directives"};
  const auto take = [&directives](const char* name) -> std::optional<std::string> {
    auto node = directives->extract(name);
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
  };
  std::optional<std::string> username = take("username");
  std::optional<std::string> nonce = take("nonce");
  std::optional<std::string> cnonce = take("cnonce");
  std::optional<std::string> nc = take("nc");
  std::optional<std::string> digest_uri = take("digest-uri");
  std::optional<std::string> response = take("response");
  if (!username) return DigestSyntaxError{"digest-response without username"};
  if (!nonce || !cnonce || cnonce->empty()) {
    return DigestSyntaxError{"digest-response without nonce or cnonce"};
  }
  if (!nc || !IsLowerHex(*nc, 8)) return DigestSyntaxError{"digest-response without a valid nc"};
  if (!digest_uri) return DigestSyntaxError{"digest-response without digest-uri"};
  if (!response || !IsLowerHex(*response, 32)) {
    return DigestSyntaxError{"digest-response without a valid response"};
  }
  std::optional<std::string> charset = take("charset");
  // RFC 2616 s.2.1: literals have no case.
  if (charset) ToLowerCase(*charset);
  if (charset && *charset != "utf-8") {
    return DigestSyntaxError{"digest-response of another charset"};
  }
  return DigestResponse{*std::move(username),   take("realm").value_or(""),
                        *std::move(nonce),      *std::move(cnonce),
                        *std::move(nc),         take("qop").value_or("auth"),
                        *std::move(digest_uri), *std::move(response),
                        take("authzid"),        charset.has_value()};
}

std::string PrintDigestChallenge(std::string_view realm, std::string_view nonce) {
  std::string challenge("realm=\"");
  challenge.append(realm).append("\",nonce=\"").append(nonce);
  return challenge.append("\",qop=\"auth\",charset=utf-8,algorithm=md5-sess");
}

}  // namespace sasld
