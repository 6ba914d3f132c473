// MD5 by OpenSSL's low-level calls: HMAC is begun from a kept state, which EVP cannot do.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "server/sasl/password_equivalents.h"

#include <openssl/md5.h>

#include <cstdint>
#include <optional>

namespace sasld {
namespace {

constexpr size_t kBlockBytes = MD5_CBLOCK;

unsigned char* Bytes(Secret& secret) { return reinterpret_cast<unsigned char*>(secret.Bytes()); }

// A digest under way; wiped.
class Md5Context {
 public:
  Md5Context() { MD5_Init(&context_); }
  // As if one block had been taken in that led to `state`.
  explicit Md5Context(std::string_view state) : Md5Context() {
    const auto word = [&state](size_t at) {
      MD5_LONG value = 0;
      for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(state[at + i]);
      return value;
    };
    context_.A = word(0);
    context_.B = word(4);
    context_.C = word(8);
    context_.D = word(12);
    context_.Nl = kBlockBytes * 8;
  }
  ~Md5Context() { WipeMemory(&context_, sizeof context_); }
  Md5Context(const Md5Context&) = delete;
  Md5Context& operator=(const Md5Context&) = delete;

  void Add(std::string_view bytes) { MD5_Update(&context_, bytes.data(), bytes.size()); }
  // To `digest`, which has kMd5Bytes and may have been added before.
  void Finish(Secret& digest) { MD5_Final(Bytes(digest), &context_); }
  // After whole blocks: the state, in kMd5Bytes.
  void PutState(char* out) const {
    for (const MD5_LONG word : {context_.A, context_.B, context_.C, context_.D}) {
      for (int shift = 0; shift < 32; shift += 8) *out++ = static_cast<char>(word >> shift);
    }
  }

 private:
  MD5_CTX context_;
};

// Nothing if `text` has a character that ISO 8859-1 has not. `text` is UTF-8.
std::optional<Secret> ToLatin1(std::string_view text) {
  Secret latin1 = Secret::Zeros(text.size());
  size_t size = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      latin1.Bytes()[size++] = text[i];
    } else if ((byte == 0xc2 || byte == 0xc3) && i + 1 < text.size()) {
      latin1.Bytes()[size++] = static_cast<char>(((byte & 3) << 6) | (text[++i] & 0x3f));
    } else {
      return std::nullopt;
    }
  }
  return Secret(latin1.Reveal().substr(0, size));
}

void AddPart(Md5Context& context, std::string_view text) {
  const std::optional<Secret> latin1 = ToLatin1(text);
  context.Add(latin1 ? latin1->Reveal() : text);
}

}  // namespace

Secret Md5(std::string_view message) {
  Secret digest = Secret::Zeros(kMd5Bytes);
  Md5Context context;
  context.Add(message);
  context.Finish(digest);
  return digest;
}

Secret CramMd5States(const Secret& prepared_password) {
  // RFC 2104 s.2: a key longer than a block is hashed first.
  const Secret key = prepared_password.size() > kBlockBytes ? Md5(prepared_password.Reveal())
                                                            : prepared_password.Clone();
  Secret states = Secret::Zeros(2 * kMd5Bytes);
  char* out = states.Bytes();
  for (const char mask : {'\x36', '\x5c'}) {
    Secret pad(std::string(kBlockBytes, mask));
    for (size_t i = 0; i < key.size(); ++i) pad.Bytes()[i] ^= key.Reveal()[i];
    Md5Context context;
    context.Add(pad.Reveal());
    context.PutState(out);
    out += kMd5Bytes;
  }
  return states;
}

Secret CramMd5Digest(const Secret& states, std::string_view message) {
  // Zeros would be something that a client can send.
  if (states.size() != 2 * kMd5Bytes) return {};
  Secret digest = Secret::Zeros(kMd5Bytes);
  Md5Context inner(states.Reveal().substr(0, kMd5Bytes));
  inner.Add(message);
  inner.Finish(digest);
  Md5Context outer(states.Reveal().substr(kMd5Bytes));
  outer.Add(digest.Reveal());
  outer.Finish(digest);
  return digest;
}

Secret DigestMd5Ha1(std::string_view username, std::string_view realm,
                    const Secret& prepared_password) {
  Secret ha1 = Secret::Zeros(kMd5Bytes);
  Md5Context context;
  AddPart(context, username);
  context.Add(":");
  AddPart(context, realm);
  context.Add(":");
  AddPart(context, prepared_password.Reveal());
  context.Finish(ha1);
  return ha1;
}

}  // namespace sasld
