#include "client/saslctl/scram_client.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "client/saslctl/saslprep.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

constexpr std::string_view kGs2Header = "n,,";
// What a server may make us compute: about a second's worth.
constexpr unsigned kIterationsMost = 1'000'000;

const unsigned char* Unsigned(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Unsigned(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string Base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(Unsigned(text), Unsigned(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

// Strict: only what encodes back to `text`.
std::optional<std::string> FromBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(Unsigned(bytes), Unsigned(text), static_cast<int>(text.size())) < 0) {
    return std::nullopt;
  }
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(bytes.size() - padding);
  if (Base64(bytes) != text) return std::nullopt;
  return bytes;
}

std::string Hmac(const EVP_MD* hash, std::string_view key, std::string_view message) {
  std::string mac(static_cast<size_t>(EVP_MD_get_size(hash)), '\0');
  HMAC(hash, key.data(), static_cast<int>(key.size()), Unsigned(message), message.size(),
       Unsigned(mac), nullptr);
  return mac;
}

// RFC 5802 section 5.1: "=" and "," in a name are written =3D and =2C.
std::string SaslName(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (c == '=') {
      result += "=3D";
    } else if (c == ',') {
      result += "=2C";
    } else {
      result += c;
    }
  }
  return result;
}

struct ServerFirst {
  std::string_view nonce;
  std::string salt;
  unsigned iterations = 0;
};

// "r=…", "s=…", "i=…" in this order; what follows are extensions, which may be ignored.
// RFC 5802 section 5.1: "m" MUST cause authentication to fail; it would stand first, so it does.
std::optional<ServerFirst> ParseServerFirst(std::string_view message) {
  std::vector<std::string_view> attributes;
  while (attributes.size() < 3) {
    const size_t comma = message.find(',');
    attributes.push_back(message.substr(0, comma));
    if (comma == std::string_view::npos) break;
    message.remove_prefix(comma + 1);
  }
  if (attributes.size() < 3 || !attributes[0].starts_with("r=") ||
      !attributes[1].starts_with("s=") || !attributes[2].starts_with("i=")) {
    return std::nullopt;
  }
  std::optional<std::string> salt = FromBase64(attributes[1].substr(2));
  const std::string_view count = attributes[2].substr(2);
  ServerFirst first;
  const auto parsed = std::from_chars(count.data(), count.data() + count.size(), first.iterations);
  if (!salt.has_value() || parsed.ec != std::errc() || parsed.ptr != count.data() + count.size()) {
    return std::nullopt;
  }
  first.nonce = attributes[0].substr(2);
  first.salt = *std::move(salt);
  return first;
}

std::string SaltedPassword(const EVP_MD* hash, const Password& password, const ServerFirst& first) {
  std::string salted(static_cast<size_t>(EVP_MD_get_size(hash)), '\0');
  const std::string_view text = password.Reveal();
  PKCS5_PBKDF2_HMAC(text.data(), static_cast<int>(text.size()), Unsigned(first.salt),
                    static_cast<int>(first.salt.size()), static_cast<int>(first.iterations), hash,
                    static_cast<int>(salted.size()), Unsigned(salted));
  return salted;
}

// ClientKey XOR HMAC(StoredKey, AuthMessage).
std::string ClientProof(const EVP_MD* hash, std::string_view salted_password,
                        std::string_view auth_message) {
  std::string proof = Hmac(hash, salted_password, "Client Key");
  std::string stored_key(proof.size(), '\0');
  EVP_Digest(proof.data(), proof.size(), Unsigned(stored_key), nullptr, hash, nullptr);
  const std::string signature = Hmac(hash, stored_key, auth_message);
  for (size_t i = 0; i < proof.size(); ++i) {
    proof[i] = static_cast<char>(proof[i] ^ signature[i]);
  }
  return proof;
}

}  // namespace

absl::StatusOr<std::string> MakeNonce() {
  ASSIGN_OR_RETURN(const std::string random, RandomBytes(18));
  return Base64(random);
}

ScramClient::ScramClient(const EVP_MD* hash, std::string_view authcid, const Password& password,
                         std::string_view cnonce)
    : hash_(hash),
      password_(PreparedPassword(password)),
      cnonce_(cnonce),
      client_first_message_bare_("n=" + SaslName(Prepared(authcid)) + ",r=" + cnonce_) {}

std::optional<std::string> ScramClient::InitialResponse() {
  return std::string(kGs2Header) + client_first_message_bare_;
}

absl::StatusOr<std::string> ScramClient::Respond(std::string_view server_first) {
  if (!server_signature_.empty()) {
    return absl::InternalError("the server sent a challenge after client-final");
  }
  const std::optional<ServerFirst> first = ParseServerFirst(server_first);
  if (!first.has_value()) return absl::InternalError("the server's first message is malformed");
  if (!first->nonce.starts_with(cnonce_) || first->nonce.size() == cnonce_.size()) {
    return absl::InternalError("the server's nonce does not begin with ours and add to it");
  }
  if (first->iterations < 1 || first->iterations > kIterationsMost) {
    return absl::InternalError("the server's iteration count is out of bounds");
  }
  const std::string client_final_without_proof =
      "c=" + Base64(kGs2Header) + ",r=" + std::string(first->nonce);
  const std::string auth_message = client_first_message_bare_ + "," + std::string(server_first) +
                                   "," + client_final_without_proof;
  std::string salted = SaltedPassword(hash_, password_, *first);
  const std::string proof = ClientProof(hash_, salted, auth_message);
  server_signature_ = Hmac(hash_, Hmac(hash_, salted, "Server Key"), auth_message);
  Wipe(salted);
  return client_final_without_proof + ",p=" + Base64(proof);
}

absl::Status ScramClient::Finish(const std::optional<std::string>& server_final) {
  if (server_signature_.empty()) {
    return absl::InternalError("the server reported success before the exchange was complete");
  }
  const std::string expected = "v=" + Base64(server_signature_);
  const std::string_view got = server_final.has_value() ? *server_final : std::string_view();
  // Extensions may follow after a comma.
  const std::string_view verifier = got.substr(0, got.find(','));
  if (verifier.size() != expected.size() ||
      CRYPTO_memcmp(verifier.data(), expected.data(), expected.size()) != 0) {
    return absl::InternalError(
        "the server reported success but its signature is wrong: it does not know the credential");
  }
  return absl::OkStatus();
}

}  // namespace sasld::saslctl
