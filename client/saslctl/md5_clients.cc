#include "client/saslctl/md5_clients.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <map>

#include "client/saslctl/saslprep.h"

namespace sasld::saslctl {
namespace {

constexpr size_t kMd5Bytes = 16;

const unsigned char* Unsigned(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Unsigned(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string Md5(std::string_view message) {
  std::string digest(kMd5Bytes, '\0');
  EVP_Digest(message.data(), message.size(), Unsigned(digest), nullptr, EVP_md5(), nullptr);
  return digest;
}

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

// RFC 2831 section 2.1.2.1: what is all ISO 8859-1 is hashed in that form.
std::string AsHashed(std::string_view utf8) {
  std::string latin1;
  for (size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x80) {
      latin1 += utf8[i];
    } else if ((byte == 0xc2 || byte == 0xc3) && i + 1 < utf8.size()) {
      latin1 += static_cast<char>((byte & 3) << 6 | (utf8[++i] & 0x3f));
    } else {
      Wipe(latin1);
      return std::string(utf8);
    }
  }
  return latin1;
}

// H({ username-value, ":", realm-value, ":", passwd }).
std::string Ha1(std::string_view username, std::string_view realm, const Password& password) {
  std::string hashed_password = AsHashed(password.Reveal());
  std::string message = AsHashed(username) + ":" + AsHashed(realm) + ":";
  message.reserve(message.size() + hashed_password.size());
  message += hashed_password;
  std::string ha1 = Md5(message);
  Wipe(hashed_password);
  Wipe(message);
  return ha1;
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// The value that begins `rest`, which is left behind it; nothing if its quotes do not end.
std::optional<std::string> TakeValue(std::string_view& rest) {
  std::string value;
  if (!rest.starts_with('"')) {
    value = rest.substr(0, rest.find(','));
    rest.remove_prefix(value.size());
    return value;
  }
  for (size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return value;
    }
    if (rest[i] == '\\' && ++i == rest.size()) break;
    value += rest[i];
  }
  return std::nullopt;
}

using Directives = std::map<std::string, std::string, std::less<>>;

// name=value, separated by commas. Of a name that is there twice the first counts: a realm may be.
std::optional<Directives> ParseDirectives(std::string_view rest) {
  Directives directives;
  for (;;) {
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    const std::string name(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    std::optional<std::string> value = TakeValue(rest);
    if (!value.has_value()) return std::nullopt;
    directives.emplace(name, *std::move(value));
    if (rest.empty()) return directives;
    if (!rest.starts_with(',')) return std::nullopt;
    rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
  }
}

bool HasToken(std::string_view list, std::string_view token) {
  return ("," + std::string(list) + ",").find("," + std::string(token) + ",") != std::string::npos;
}

}  // namespace

CramMd5Client::CramMd5Client(std::string_view authcid, const Password& password)
    : authcid_(Prepared(authcid)), password_(PreparedPassword(password)) {}

absl::StatusOr<std::string> CramMd5Client::Respond(std::string_view challenge) {
  if (answered_) return absl::InternalError("the server sent a second challenge");
  if (challenge.empty()) return absl::InternalError("the server's challenge is empty");
  answered_ = true;
  std::string mac(kMd5Bytes, '\0');
  const std::string_view key = password_.Reveal();
  HMAC(EVP_md5(), key.data(), static_cast<int>(key.size()), Unsigned(challenge), challenge.size(),
       Unsigned(mac), nullptr);
  return authcid_ + " " + Hex(mac);
}

absl::Status CramMd5Client::Finish(const std::optional<std::string>&) {
  if (answered_) return absl::OkStatus();
  return absl::InternalError("the server reported success before the exchange was complete");
}

DigestMd5Client::DigestMd5Client(std::string_view authcid, const Password& password,
                                 std::string_view service, std::string_view cnonce)
    : authcid_(Prepared(authcid)),
      password_(PreparedPassword(password)),
      service_(service),
      cnonce_(cnonce) {}

absl::StatusOr<std::string> DigestMd5Client::Respond(std::string_view challenge) {
  if (!rspauth_.empty()) return absl::InternalError("the server sent a second challenge");
  const std::optional<Directives> directives = ParseDirectives(challenge);
  if (!directives.has_value()) return absl::InternalError("the server's challenge is malformed");
  const auto value_of = [&directives](std::string_view name) {
    const auto found = directives->find(name);
    return found == directives->end() ? std::string() : found->second;
  };
  const std::string nonce = value_of("nonce");
  const std::string realm = value_of("realm");
  // RFC 2831 section 2.1.1: both required, each exactly once.
  if (nonce.empty() || value_of("algorithm") != "md5-sess") {
    return absl::InternalError("the server's challenge has no nonce or an unknown algorithm");
  }
  if (directives->contains("qop") && !HasToken(value_of("qop"), "auth")) {
    return absl::InternalError("the server's challenge does not offer qop=auth");
  }
  const std::string digest_uri = service_ + "/" + (realm.empty() ? "localhost" : realm);
  const std::string session = ":" + nonce + ":00000001:" + cnonce_ + ":auth:";
  std::string a1 = Ha1(authcid_, realm, password_) + ":" + nonce + ":" + cnonce_;
  const std::string h_a1 = Hex(Md5(a1));
  Wipe(a1);
  const std::string response = Hex(Md5(h_a1 + session + Hex(Md5("AUTHENTICATE:" + digest_uri))));
  rspauth_ = Hex(Md5(h_a1 + session + Hex(Md5(":" + digest_uri))));

  std::string message = value_of("charset") == "utf-8" ? "charset=utf-8," : "";
  message += "username=" + Quoted(authcid_);
  if (directives->contains("realm")) message += ",realm=" + Quoted(realm);
  message += ",nonce=" + Quoted(nonce) + ",nc=00000001,cnonce=" + Quoted(cnonce_) +
             ",digest-uri=" + Quoted(digest_uri) + ",response=" + response + ",qop=auth";
  return message;
}

absl::Status DigestMd5Client::Finish(const std::optional<std::string>& rspauth) {
  if (rspauth_.empty()) {
    return absl::InternalError("the server reported success before the exchange was complete");
  }
  const std::string expected = "rspauth=" + rspauth_;
  if (!rspauth.has_value() || rspauth->size() != expected.size() ||
      CRYPTO_memcmp(rspauth->data(), expected.data(), expected.size()) != 0) {
    return absl::InternalError(
        "the server reported success but its signature is wrong: it does not know the credential");
  }
  return absl::OkStatus();
}

}  // namespace sasld::saslctl
