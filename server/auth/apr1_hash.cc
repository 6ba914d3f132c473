// MD5 by OpenSSL's low-level calls: a thousand rounds of some ten bytes, where EVP would take
// longer to begin than to hash.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "server/auth/apr1_hash.h"

#include <openssl/md5.h>

#include <array>
#include <cstdint>
#include <string>

#include "server/auth/crypt_notation.h"
#include "server/auth/notation.h"
#include "server/sasl/password_equivalents.h"

namespace sasld {
namespace {

constexpr int kRounds = 1000;

// A digest under way; wiped.
class Md5Stream {
 public:
  Md5Stream() { MD5_Init(&context_); }
  ~Md5Stream() { WipeMemory(&context_, sizeof context_); }
  Md5Stream(const Md5Stream&) = delete;
  Md5Stream& operator=(const Md5Stream&) = delete;

  void Add(std::string_view bytes) { MD5_Update(&context_, bytes.data(), bytes.size()); }
  // To `digest`, which may have been added before.
  void Finish(Secret& digest) {
    MD5_Final(reinterpret_cast<unsigned char*>(digest.Bytes()), &context_);
  }

 private:
  MD5_CTX context_;
};

Secret FirstDigest(std::string_view password, std::string_view salt) {
  Secret digest = Secret::Zeros(kMd5Bytes);
  Md5Stream inner;
  inner.Add(password);
  inner.Add(salt);
  inner.Add(password);
  inner.Finish(digest);

  Md5Stream outer;
  outer.Add(password);
  outer.Add(kApr1Prefix);
  outer.Add(salt);
  for (size_t left = password.size(); left > 0;) {
    const size_t bytes = left < kMd5Bytes ? left : kMd5Bytes;
    outer.Add(digest.Reveal().substr(0, bytes));
    left -= bytes;
  }
  // For each bit of the length a NUL or, so it has been from the beginning, the first character.
  for (size_t bits = password.size(); bits > 0; bits >>= 1) {
    outer.Add((bits & 1) != 0 ? std::string_view("\0", 1) : password.substr(0, 1));
  }
  outer.Finish(digest);
  return digest;
}

// 22 of crypt's digits, least significant first, over the bytes in MD5-crypt's order.
std::string EncodeDigest(std::string_view digest) {
  constexpr std::string_view kDigits =
      "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::array<std::array<uint8_t, 3>, 5> kOrder = {
      {{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}}};
  std::string text;
  const auto put = [&text, kDigits](uint32_t bits, int digits) {
    for (int i = 0; i < digits; ++i, bits >>= 6) text.push_back(kDigits[bits & 63]);
  };
  const auto byte = [digest](size_t at) {
    return static_cast<uint32_t>(static_cast<unsigned char>(digest[at]));
  };
  for (const auto& [high, middle, low] : kOrder) {
    put(byte(high) << 16 | byte(middle) << 8 | byte(low), 4);
  }
  put(byte(11), 2);
  return text;
}

}  // namespace

bool VerifyApr1Hash(std::string_view text, const Secret& password) {
  if (!TakePrefix(text, kApr1Prefix)) return false;
  const std::string_view salt = TakeUntil(text, '$').value_or("");
  const std::string_view phrase = password.Reveal();
  Secret digest = FirstDigest(phrase, salt);
  for (int round = 0; round < kRounds; ++round) {
    Md5Stream stream;
    stream.Add((round & 1) != 0 ? phrase : digest.Reveal());
    if (round % 3 != 0) stream.Add(salt);
    if (round % 7 != 0) stream.Add(phrase);
    stream.Add((round & 1) != 0 ? digest.Reveal() : phrase);
    stream.Finish(digest);
  }
  return EqualsConstantTime(EncodeDigest(digest.Reveal()), text);
}

}  // namespace sasld
