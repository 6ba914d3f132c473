#include "tests/server/sasl/digest_md5_client.h"

#include "tests/server/sasl/openssl_calls.h"

namespace sasld {
namespace {

std::string Md5(const std::string& message) { return openssl::Digest("MD5", message); }
std::string HexMd5(const std::string& message) { return openssl::Hex(Md5(message)); }

// Which values stand in quotes.
bool IsQuoted(std::string_view name) {
  return name != "nc" && name != "qop" && name != "response" && name != "charset";
}

std::string Quoted(std::string_view value) {
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

class DigestMd5Client final : public SaslClient {
 public:
  explicit DigestMd5Client(const ClientSettings& settings) : settings_(settings) {}

  std::optional<std::string> Answer(const std::string& challenge) override {
    auto offered = DirectivesOf(challenge);
    if (!offered || !offered->contains("nonce") || !expected_.empty()) return std::nullopt;
    auto& sent = sent_;
    sent = {{"username", settings_.authcid},
            {"realm", (*offered)["realm"]},
            {"nonce", (*offered)["nonce"]},
            {"cnonce", settings_.cnonce},
            {"nc", "00000001"},
            {"qop", "auth"},
            {"digest-uri", settings_.service + "/mail.example.org"}};
    if ((*offered)["charset"] == "utf-8") sent["charset"] = "utf-8";
    if (!settings_.authzid.empty()) sent["authzid"] = settings_.authzid;
    for (const auto& [name, value] : settings_.directives) {
      if (value.empty()) {
        sent.erase(name);
      } else {
        sent[name] = value;
      }
    }
    expected_ = ResponseValue("");
    if (!settings_.directives.contains("response"))
      sent["response"] = ResponseValue("AUTHENTICATE");
    std::string message;
    for (const auto& [name, value] : sent) {
      message +=
          (message.empty() ? "" : ",") + name + "=" + (IsQuoted(name) ? Quoted(value) : value);
    }
    return message;
  }

  bool Believes(const std::optional<std::string>& data) const override {
    if (!data || expected_.empty()) return false;
    const auto directives = DirectivesOf(*data);
    return directives && directives->contains("rspauth") && directives->at("rspauth") == expected_;
  }

 private:
  std::string Sent(const char* name) const {
    const auto found = sent_.find(name);
    return found == sent_.end() ? "" : found->second;
  }

  // RFC 2831 s.2.1.2.1 and 2.1.3.
  std::string ResponseValue(const std::string& method) const {
    std::string a1 = Md5(Sent("username") + ":" + Sent("realm") + ":" + settings_.password) + ":" +
                     Sent("nonce") + ":" + Sent("cnonce");
    if (sent_.contains("authzid")) a1 += ":" + Sent("authzid");
    std::string a2 = method + ":" + Sent("digest-uri");
    if (Sent("qop") == "auth-int") a2 += ":" + std::string(32, '0');
    const std::string qop = sent_.contains("qop") ? Sent("qop") : "auth";
    return HexMd5(HexMd5(a1) + ":" + Sent("nonce") + ":" + Sent("nc") + ":" + Sent("cnonce") + ":" +
                  qop + ":" + HexMd5(a2));
  }

  const ClientSettings settings_;
  std::map<std::string, std::string> sent_;
  std::string expected_;  // rspauth
};

bool IsLws(char c) { return c == ' ' || c == '\t'; }

// RFC 2616 s.2.2.
bool IsToken(std::string_view text) {
  constexpr std::string_view kSeparators = "()<>@,;:\\\"/[]?={} \t";
  for (const char c : text) {
    if (c <= 0x20 || c >= 0x7f || kSeparators.find(c) != std::string_view::npos) return false;
  }
  return !text.empty();
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsLws(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsLws(text.back())) text.remove_suffix(1);
  return text;
}

// A token as it is, a quoted-string without its quotes and backslashes.
std::optional<std::string> ValueOf(std::string_view text) {
  if (!text.starts_with('"')) {
    return IsToken(text) ? std::optional(std::string(text)) : std::nullopt;
  }
  std::string value;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1 == text.size() ? std::optional(value) : std::nullopt;
    if (text[i] == '\\' && ++i == text.size()) return std::nullopt;
    value += text[i];
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<SaslClient> MakeDigestMd5Client(const ClientSettings& settings) {
  return std::make_unique<DigestMd5Client>(settings);
}

std::optional<std::map<std::string, std::string>> DirectivesOf(std::string_view message) {
  std::map<std::string, std::string> directives;
  size_t begin = 0;
  bool quoted = false;
  for (size_t i = 0; i <= message.size(); ++i) {
    if (i < message.size() && quoted && message[i] == '\\') {
      if (++i == message.size()) return std::nullopt;
      continue;
    }
    if (i < message.size() && message[i] == '"') quoted = !quoted;
    if (i < message.size() && (quoted || message[i] != ',')) continue;
    const std::string_view element = Trimmed(message.substr(begin, i - begin));
    begin = i + 1;
    if (element.empty()) continue;
    const size_t equals = element.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    std::string name(Trimmed(element.substr(0, equals)));
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    auto value = ValueOf(Trimmed(element.substr(equals + 1)));
    if (!IsToken(name) || !value || !directives.emplace(name, *value).second) return std::nullopt;
  }
  return directives;
}

}  // namespace sasld
